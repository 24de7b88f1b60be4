/**
 * Files of vision transformers. Networks keep the tensor names of DINOv2's own files; those of other publishers are brought
 * to them here: DINOv2 and DINOv3 of Hugging Face and of Meta, DINOv2 of timm, CLIP of Hugging Face and of OpenAI's layout
 * as open_clip saves it. What a file holds beside the image network – mask token, text tower, projections – is left out.
 */
import { DataError } from '../core/errors.ts';
import { float32, type Tensor, type Tensors } from '../core/tensor.ts';
import type { VitDesign } from './vit.ts';

type Rename = readonly [pattern: RegExp, name: string];

/** What a publisher calls the tensors: patterns of names, tried in order, and our names; "" leaves a tensor out. */
interface Layout {
  /** A name that only its files have. */
  readonly sign: RegExp;
  readonly names: readonly Rename[];
}

const halves = 'weight|bias';

const layouts: readonly Layout[] = [
  {
    // Meta's DINOv2 and DINOv3, and DINOv2 of timm.
    sign: /^blocks\.0\.attn\.qkv\.weight$/,
    names: [
      [/^(mask_token|rope_embed\.periods|blocks\.\d+\.attn\.qkv\.bias_mask)$/, ''],
      [/^(storage_tokens|reg_token)$/, 'register_tokens'],
    ],
  },
  {
    sign: /^encoder\.layer\.0\.attention\.attention\.query\.weight$/,
    names: [
      [/^embeddings\.mask_token$/, ''],
      [/^embeddings\.(cls_token|register_tokens)$/, '$1'],
      [/^embeddings\.position_embeddings$/, 'pos_embed'],
      [/^embeddings\.patch_embeddings\.projection\./, 'patch_embed.proj.'],
      [
        new RegExp(`^encoder\\.layer\\.(\\d+)\\.attention\\.attention\\.(query|key|value)\\.(${halves})$`),
        'blocks.$1.attn.$2.$3',
      ],
      [/^encoder\.layer\.(\d+)\.attention\.output\.dense\./, 'blocks.$1.attn.proj.'],
      [/^encoder\.layer\.(\d+)\.layer_scale([12])\.lambda1$/, 'blocks.$1.ls$2.gamma'],
      [/^encoder\.layer\.(\d+)\./, 'blocks.$1.'],
      [/^layernorm\./, 'norm.'],
    ],
  },
  {
    sign: /^layer\.0\.attention\.q_proj\.weight$/,
    names: [
      [/^embeddings\.mask_token$/, ''],
      [/^embeddings\.(cls_token|register_tokens)$/, '$1'],
      [/^embeddings\.patch_embeddings\./, 'patch_embed.proj.'],
      [/^layer\.(\d+)\.attention\.q_proj\./, 'blocks.$1.attn.query.'],
      [/^layer\.(\d+)\.attention\.k_proj\./, 'blocks.$1.attn.key.'],
      [/^layer\.(\d+)\.attention\.v_proj\./, 'blocks.$1.attn.value.'],
      [/^layer\.(\d+)\.attention\.o_proj\./, 'blocks.$1.attn.proj.'],
      [/^layer\.(\d+)\.layer_scale([12])\.lambda1$/, 'blocks.$1.ls$2.gamma'],
      [/^layer\.(\d+)\.mlp\.up_proj\./, 'blocks.$1.mlp.fc1.'],
      [/^layer\.(\d+)\.mlp\.down_proj\./, 'blocks.$1.mlp.fc2.'],
      [/^layer\.(\d+)\./, 'blocks.$1.'],
    ],
  },
  {
    sign: /^vision_model\.encoder\.layers\.0\.self_attn\.q_proj\.weight$/,
    names: [
      [/^(text_model\..*|text_projection\..*|visual_projection\..*|logit_scale|.*\.position_ids)$/, ''],
      [/^vision_model\.embeddings\.class_embedding$/, 'cls_token'],
      [/^vision_model\.embeddings\.position_embedding\.weight$/, 'pos_embed'],
      [/^vision_model\.embeddings\.patch_embedding\./, 'patch_embed.proj.'],
      [/^vision_model\.pre_layrnorm\./, 'norm_pre.'],
      [/^vision_model\.post_layernorm\./, 'norm.'],
      [/^vision_model\.encoder\.layers\.(\d+)\.self_attn\.q_proj\./, 'blocks.$1.attn.query.'],
      [/^vision_model\.encoder\.layers\.(\d+)\.self_attn\.k_proj\./, 'blocks.$1.attn.key.'],
      [/^vision_model\.encoder\.layers\.(\d+)\.self_attn\.v_proj\./, 'blocks.$1.attn.value.'],
      [/^vision_model\.encoder\.layers\.(\d+)\.self_attn\.out_proj\./, 'blocks.$1.attn.proj.'],
      [/^vision_model\.encoder\.layers\.(\d+)\.layer_norm([12])\./, 'blocks.$1.norm$2.'],
      [/^vision_model\.encoder\.layers\.(\d+)\./, 'blocks.$1.'],
    ],
  },
  {
    sign: /^visual\.transformer\.resblocks\.0\.attn\.in_proj_weight$/,
    names: [
      [
        /^(transformer\..*|token_embedding\..*|positional_embedding|ln_final\..*|text_projection|logit_scale|visual\.proj|input_resolution|context_length|vocab_size)$/,
        '',
      ],
      [/^visual\.class_embedding$/, 'cls_token'],
      [/^visual\.positional_embedding$/, 'pos_embed'],
      [/^visual\.conv1\./, 'patch_embed.proj.'],
      [/^visual\.ln_pre\./, 'norm_pre.'],
      [/^visual\.ln_post\./, 'norm.'],
      [/^visual\.transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)$/, 'blocks.$1.attn.qkv.$2'],
      [/^visual\.transformer\.resblocks\.(\d+)\.attn\.out_proj\./, 'blocks.$1.attn.proj.'],
      [/^visual\.transformer\.resblocks\.(\d+)\.ln_([12])\./, 'blocks.$1.norm$2.'],
      [/^visual\.transformer\.resblocks\.(\d+)\.mlp\.c_fc\./, 'blocks.$1.mlp.fc1.'],
      [/^visual\.transformer\.resblocks\.(\d+)\.mlp\.c_proj\./, 'blocks.$1.mlp.fc2.'],
    ],
  },
];

/**
 * The tensors of a file under the names of the network; unchanged where the file is not one of a vision transformer.
 * @throws DataError `weights-mismatch` for one of another depth, width, patch or number of registers, or without class token.
 */
export function tensorsOfVit(design: VitDesign, found: Tensors, file: string): Tensors {
  const names = Object.keys(found);
  const layout = layouts.find(({ sign }) => names.some((name) => sign.test(name)));
  if (!layout) return found;
  const named: Record<string, Tensor> = {};
  for (const name of names) {
    const rename = layout.names.find(([pattern]) => pattern.test(name));
    const ours = rename ? (rename[1] === '' ? '' : name.replace(rename[0], rename[1])) : name;
    if (ours !== '') named[ours] = found[name];
  }
  checkDesign(design, named, file);
  return completed(design, joined(named));
}

/** Queries, keys and values as one tensor; keys without a bias have a bias of 0. */
function joined(named: Tensors): Record<string, Tensor> {
  const out: Record<string, Tensor> = { ...named };
  for (const name of Object.keys(named)) {
    const [, place, half] = /^(blocks\.\d+\.attn)\.query\.(weight|bias)$/.exec(name) ?? [];
    if (!place) continue;
    const query = named[name];
    const parts = ['query', 'key', 'value'].map((part) => {
      const given = named[`${place}.${part}.${half}`];
      delete out[`${place}.${part}.${half}`];
      return given ?? (half === 'bias' && part === 'key' ? zeros(query.shape) : undefined);
    });
    const known = parts.filter((part) => part !== undefined);
    if (known.length < 3) continue; // what is missing is then said
    const data = new Float32Array(known.reduce((n, { data }) => n + data.length, 0));
    let at = 0;
    for (const part of known) {
      data.set(part.data as Float32Array, at);
      at += part.data.length;
    }
    out[`${place}.qkv.${half}`] = float32(data, [3 * query.shape[0], ...query.shape.slice(1)]);
  }
  return out;
}

const zeros = (shape: readonly number[]): Tensor => float32(new Float32Array(shape.reduce((n, d) => n * d, 1)), shape);

/** Shapes as the network has them, biases of keys that are masked as 0, places of a class token that has none of its own. */
function completed({ width, depth, learnt, clip }: VitDesign, named: Record<string, Tensor>): Tensors {
  const { cls_token: first, pos_embed: places } = named;
  named.cls_token = { ...first, shape: [1, 1, width] } as Tensor;
  if (places?.shape.length === 2) named.pos_embed = { ...places, shape: [1, ...places.shape] } as Tensor;
  if (learnt && places?.shape[1] === learnt.side ** 2) {
    // timm adds the place of the class token to the token itself.
    const data = new Float32Array((1 + learnt.side ** 2) * width);
    data.set(places.data as Float32Array, width);
    named.pos_embed = float32(data, [1, 1 + learnt.side ** 2, width]);
  }
  for (let i = 0; i < depth && !learnt && !clip; i++) {
    const bias = named[`blocks.${i}.attn.qkv.bias`];
    if (bias?.data.length === 3 * width) {
      const data = Float32Array.from(bias.data as Float32Array);
      named[`blocks.${i}.attn.qkv.bias`] = float32(data.fill(0, width, 2 * width), [3 * width]);
    }
  }
  return named;
}

/** Throws where a file is that of another vision transformer, saying what it holds. */
function checkDesign(design: VitDesign, named: Tensors, file: string): void {
  const { title, width, depth, patch, registers = 0 } = design;
  const wrong = (what: string) =>
    new DataError(
      'weights-mismatch',
      `${file} must hold ${title}, ${what}. Choose the right file, or the backbone of this one.`,
    );
  const first = named.cls_token;
  if (!first) throw wrong('which has a class token, but this file has none');
  const blocks = new Set(Object.keys(named).flatMap((name) => /^blocks\.(\d+)\./.exec(name)?.[1] ?? [])).size;
  const has = {
    blocks,
    width: first.shape.at(-1),
    patch: named['patch_embed.proj.weight']?.shape.at(-1),
    registers: named.register_tokens?.shape.at(-2) ?? 0,
  };
  if (has.blocks === depth && has.width === width && has.patch === patch && has.registers === registers) return;
  throw wrong(
    `which has ${depth} blocks of ${width} numbers, patches of ${patch} pixels and ${registers} registers, but this file ` +
      `has ${has.blocks} of ${has.width}, ${has.patch} and ${has.registers}`,
  );
}
