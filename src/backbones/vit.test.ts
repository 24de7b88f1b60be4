import { describe, expect, it, test } from 'vitest';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensor, type Tensors } from '../core/tensor.ts';
import { writeSafetensors } from '../data/formats/safetensors.ts';
import { evaluate } from '../graph/evaluate.ts';
import { input } from '../graph/leaf.ts';
import { Trace } from '../nn/scope.ts';
import { features, findBackbone, parameterCount, tensorsOf } from './index.ts';
import { vit } from './vit.ts';
import { bicubicMatrix } from './vit-positions.ts';
import { readWeights, weightsUpTo } from './weights.ts';

describe('published sizes', () => {
  // Counts of the published networks hold a mask token, which is not needed here; of DINOv3 they hold no bias of keys, which
  // is 0 here.
  test.each([
    ['dinov2_vits14', 22_056_576 - 384],
    ['dinov2_vits14_reg', 22_058_112 - 384],
    ['dinov2_vitb14', 86_580_480 - 768],
    ['dinov2_vitb14_reg', 86_583_552 - 768],
    ['dinov3_vits16', 21_596_544 - 384 + 12 * 384],
    ['dinov3_vitb16', 85_660_416 - 768 + 12 * 768],
    ['clip_vitb32', 87_456_000],
    ['clip_vitb16', 85_799_424],
    ['clip_vitl14336', 303_507_456],
  ])('%s has %d parameters', (name, count) => expect(parameterCount(findBackbone(name))).toBe(count));

  it('has the names and shapes of the published file', () => {
    const tensors = tensorsOf(findBackbone('dinov2_vitb14_reg'));
    expect(tensors.size).toBe(7 + 14 * 12);
    expect(Object.fromEntries([...tensors].filter(([name]) => !/^blocks\.([1-9]|1[01])\./.test(name)))).toEqual({
      cls_token: [1, 1, 768],
      pos_embed: [1, 1370, 768],
      register_tokens: [1, 4, 768],
      'patch_embed.proj.weight': [768, 3, 14, 14],
      'patch_embed.proj.bias': [768],
      'blocks.0.norm1.weight': [768],
      'blocks.0.norm1.bias': [768],
      'blocks.0.attn.qkv.weight': [2304, 768],
      'blocks.0.attn.qkv.bias': [2304],
      'blocks.0.attn.proj.weight': [768, 768],
      'blocks.0.attn.proj.bias': [768],
      'blocks.0.ls1.gamma': [768],
      'blocks.0.norm2.weight': [768],
      'blocks.0.norm2.bias': [768],
      'blocks.0.mlp.fc1.weight': [3072, 768],
      'blocks.0.mlp.fc1.bias': [3072],
      'blocks.0.mlp.fc2.weight': [768, 3072],
      'blocks.0.mlp.fc2.bias': [768],
      'blocks.0.ls2.gamma': [768],
      'norm.weight': [768],
      'norm.bias': [768],
    });
  });
});

const about = { title: 'Tiny', paper: '', file: { from: 'nowhere', licence: 'none' } };
const sizes = { patch: 4, width: 8, depth: 2, heads: 2, eps: 1e-6 };
const learnt = { side: 3, offset: 0.1, antialias: false };
const tiny = {
  dinov2: vit({ ...about, ...sizes, name: 'dinov2', learnt, registers: 2 }),
  dinov3: vit({ ...about, ...sizes, name: 'dinov3', registers: 2 }),
  clip: vit({ ...about, ...sizes, name: 'clip', learnt, clip: true }),
};

/** Different numbers for every tensor. */
function weights(name: keyof typeof tiny): Record<string, Tensor> {
  const made: Record<string, Tensor> = {};
  for (const [k, [tensor, shape]] of [...tensorsOf(tiny[name])].entries())
    made[tensor] = float32(
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => k + 1 + i / 1000),
      shape,
    );
  return made;
}

/** A file whose tensors are named in another way: `qkv` is the part of a name before query, key and value, and their names. */
function renamed(
  tensors: Tensors,
  rename: (name: string) => string,
  parts?: readonly string[],
): Record<string, Tensor> {
  const out: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!parts || !name.includes('.qkv.')) {
      out[rename(name)] = tensor;
      continue;
    }
    const size = tensor.data.length / 3;
    for (const [k, part] of parts.entries()) {
      const data = (tensor.data as Float32Array).slice(k * size, (k + 1) * size);
      out[rename(name.replace('qkv', part))] = float32(data, [tensor.shape[0] / 3, ...tensor.shape.slice(1)]);
    }
  }
  return out;
}

const replaced = (name: string, ...pairs: readonly (readonly [RegExp, string])[]): string => {
  const found = pairs.find(([pattern]) => pattern.test(name));
  return found ? name.replace(...(found as [RegExp, string])) : name;
};

const read = (name: keyof typeof tiny, tensors: Tensors) =>
  readWeights(tiny[name], { file: 'x.safetensors', bytes: writeSafetensors(tensors) });

const extra = (name: string): Tensors => ({ [name]: float32(Float32Array.of(1), [1]) });

describe('files', () => {
  const hugging = (name: string) =>
    replaced(
      name,
      [/^(cls_token|register_tokens)$/, 'embeddings.$1'],
      [/^pos_embed$/, 'embeddings.position_embeddings'],
      [/^patch_embed\.proj/, 'embeddings.patch_embeddings.projection'],
      [/^blocks\.(\d+)\.attn\.proj/, 'encoder.layer.$1.attention.output.dense'],
      [/^blocks\.(\d+)\.attn\./, 'encoder.layer.$1.attention.attention.'],
      [/^blocks\.(\d+)\.ls([12])\.gamma/, 'encoder.layer.$1.layer_scale$2.lambda1'],
      [/^blocks\./, 'encoder.layer.'],
      [/^norm\./, 'layernorm.'],
    );
  const hugging3 = (name: string) =>
    replaced(
      name,
      [/^(cls_token|register_tokens)$/, 'embeddings.$1'],
      [/^patch_embed\.proj/, 'embeddings.patch_embeddings'],
      [/^blocks\.(\d+)\.attn\.proj/, 'layer.$1.attention.o_proj'],
      [/^blocks\.(\d+)\.attn\./, 'layer.$1.attention.'],
      [/^blocks\.(\d+)\.ls([12])\.gamma/, 'layer.$1.layer_scale$2.lambda1'],
      [/^blocks\.(\d+)\.mlp\.fc1/, 'layer.$1.mlp.up_proj'],
      [/^blocks\.(\d+)\.mlp\.fc2/, 'layer.$1.mlp.down_proj'],
      [/^blocks\./, 'layer.'],
    );
  const huggingClip = (name: string) =>
    `vision_model.${replaced(
      name,
      [/^cls_token$/, 'embeddings.class_embedding'],
      [/^pos_embed$/, 'embeddings.position_embedding.weight'],
      [/^patch_embed\.proj/, 'embeddings.patch_embedding'],
      [/^norm_pre/, 'pre_layrnorm'],
      [/^norm\./, 'post_layernorm.'],
      [/^blocks\.(\d+)\.attn\.proj/, 'encoder.layers.$1.self_attn.out_proj'],
      [/^blocks\.(\d+)\.attn\./, 'encoder.layers.$1.self_attn.'],
      [/^blocks\.(\d+)\.norm/, 'encoder.layers.$1.layer_norm'],
      [/^blocks\./, 'encoder.layers.'],
    )}`;
  const openClip = (name: string) =>
    `visual.${replaced(
      name,
      [/^cls_token$/, 'class_embedding'],
      [/^pos_embed$/, 'positional_embedding'],
      [/^patch_embed\.proj/, 'conv1'],
      [/^norm_pre/, 'ln_pre'],
      [/^norm\./, 'ln_post.'],
      [/^blocks\.(\d+)\.attn\.qkv\./, 'transformer.resblocks.$1.attn.in_proj_'],
      [/^blocks\.(\d+)\.attn\.proj/, 'transformer.resblocks.$1.attn.out_proj'],
      [/^blocks\.(\d+)\.norm/, 'transformer.resblocks.$1.ln_'],
      [/^blocks\.(\d+)\.mlp\.fc1/, 'transformer.resblocks.$1.mlp.c_fc'],
      [/^blocks\.(\d+)\.mlp\.fc2/, 'transformer.resblocks.$1.mlp.c_proj'],
    )}`;
  /** CLIP keeps the class token and the places without a leading axis of 1. */
  const flat = (tensors: Record<string, Tensor>, first: string, places: string): Record<string, Tensor> => ({
    ...tensors,
    [first]: { ...tensors[first], shape: [8] } as Tensor,
    [places]: { ...tensors[places], shape: [10, 8] } as Tensor,
  });
  const noKeys = (tensors: Record<string, Tensor>): Record<string, Tensor> => {
    const out = { ...tensors };
    for (const [name, tensor] of Object.entries(out)) {
      if (!name.endsWith('qkv.bias')) continue;
      out[name] = float32(Float32Array.from(tensor.data as Float32Array).fill(0, 8, 16), tensor.shape);
    }
    return out;
  };

  it("are read in Meta's layout, the mask token left out", async () => {
    const own = weights('dinov2');
    expect(await read('dinov2', { ...own, ...extra('mask_token') })).toEqual(own);
    const { register_tokens: storage_tokens, ...third } = weights('dinov3');
    const file = { ...third, storage_tokens, ...extra('rope_embed.periods'), ...extra('blocks.0.attn.qkv.bias_mask') };
    expect(await read('dinov3', file)).toEqual(noKeys(weights('dinov3')));
  });

  it("are read in Hugging Face's layouts", async () => {
    const second = renamed(weights('dinov2'), hugging, ['query', 'key', 'value']);
    expect(Object.keys(second)).toContain('encoder.layer.1.attention.attention.value.bias');
    expect(await read('dinov2', { ...second, ...extra('embeddings.mask_token') })).toEqual(weights('dinov2'));
    const third = renamed(weights('dinov3'), hugging3, ['q_proj', 'k_proj', 'v_proj']);
    for (const i of [0, 1]) delete third[`layer.${i}.attention.k_proj.bias`];
    expect(await read('dinov3', third)).toEqual(noKeys(weights('dinov3')));
    const clip = renamed(weights('clip'), huggingClip, ['q_proj', 'k_proj', 'v_proj']);
    const whole = flat(
      clip,
      'vision_model.embeddings.class_embedding',
      'vision_model.embeddings.position_embedding.weight',
    );
    const text = { ...extra('text_model.final_layer_norm.weight'), ...extra('logit_scale') };
    expect(await read('clip', { ...whole, ...text })).toEqual(weights('clip'));
  });

  it('are read as timm and as open_clip save them', async () => {
    const own = weights('dinov2');
    const { register_tokens: reg_token, pos_embed, ...rest } = own;
    const patches = float32((pos_embed.data as Float32Array).slice(8), [1, 9, 8]);
    const found = await read('dinov2', { ...rest, reg_token, pos_embed: patches });
    expect(found.pos_embed.data.slice(0, 8)).toEqual(new Float32Array(8));
    expect(found.pos_embed.data.slice(8)).toEqual(patches.data);
    expect(found.register_tokens).toEqual(reg_token);
    const clip = flat(renamed(weights('clip'), openClip), 'visual.class_embedding', 'visual.positional_embedding');
    expect(await read('clip', { ...clip, ...extra('visual.proj'), ...extra('ln_final.bias') })).toEqual(
      weights('clip'),
    );
  });

  it('of another depth, patch or width, or without a class token, are refused with what they hold', async () => {
    const own = weights('dinov2');
    const shallow = Object.fromEntries(Object.entries(own).filter(([name]) => !name.startsWith('blocks.1.')));
    await expect(read('dinov2', shallow)).rejects.toThrow(
      'x.safetensors must hold Tiny, which has 2 blocks of 8 numbers, patches of 4 pixels and 2 registers, but this file ' +
        'has 1 of 8, 4 and 2. Choose the right file, or the backbone of this one.',
    );
    const patch = { ...own, 'patch_embed.proj.weight': float32(new Float32Array(8 * 3 * 25), [8, 3, 5, 5]) };
    await expect(read('dinov2', patch)).rejects.toThrow('has 2 of 8, 5 and 2');
    const { register_tokens, ...bare } = own;
    await expect(read('dinov2', bare)).rejects.toThrow('has 2 of 8, 4 and 0');
    const { cls_token, ...none } = own;
    await expect(read('dinov2', none)).rejects.toThrow('which has a class token, but this file has none');
    await expect(read('dinov2', { a: own.cls_token })).rejects.toThrow('must hold the 35 tensors of Tiny');
  });

  it('give the tensors of the class token with those of any tap', () => {
    expect(Object.keys(weightsUpTo(tiny.dinov2, ['block0'], weights('dinov2')))).toContain('blocks.1.ls2.gamma');
  });
});

test('images whose sides are no multiples of the patch are resampled to the nearest', () => {
  const found = (height: number, width: number) =>
    features(tiny.dinov2, new Trace(false).group('b'), input('x', ['N', 3, height, width]), ['norm1'])[0].shape;
  expect(found(12, 16)).toEqual(['N', 8, 3, 4]);
  expect(found(13, 18)).toEqual(['N', 8, 3, 5]);
  expect(found(2, 5)).toEqual(['N', 8, 1, 1]);
});

test('the class token sees the whole image, taps are patches in the order of rows', () => {
  // Patches are told from each other by one channel, and nothing mixes them where all blocks give 0.
  const own = Object.fromEntries(
    Object.entries(weights('dinov2')).map(([name, t]) => [
      `b.${name}`,
      float32(new Float32Array(t.data.length), t.shape),
    ]),
  );
  (own['b.patch_embed.proj.weight'].data as Float32Array).fill(1);
  const x = float32(
    Float32Array.from({ length: 3 * 8 * 12 }, (_, i) => Math.floor((i % 96) / 48) * 3 + Math.floor((i % 12) / 4)),
    [1, 3, 8, 12],
  );
  const image = input('x', [1, 3, 8, 12]);
  const [, block] = [...tiny.dinov2.network(new Trace(false).group('b'), image)].find(([tap]) => tap === 'block0')!;
  const [{ shape, data }] = evaluate([typeof block === 'function' ? block() : block], { ...own, x });
  expect(shape).toEqual([1, 8, 2, 3]);
  expect([...(data as Float32Array).slice(0, 6)]).toEqual([0, 48, 96, 144, 192, 240]);
});

test('bicubic rows sum to 1', () => {
  for (const [from, to, offset, antialias] of [
    [37, 32, 0.1, false],
    [37, 32, 0, true],
    [37, 64, 0, true],
  ] as const) {
    const { data } = bicubicMatrix(from, to, { offset, antialias });
    for (let o = 0; o < to; o++) {
      const sum = (data as Float32Array).slice(o * from, (o + 1) * from).reduce((a, b) => a + b);
      expect(sum).toBeCloseTo(1, 5);
    }
  }
});
