/**
 * Features of training images by a pretrained backbone, computed once: for the passes of a fit, and for the folds that are fitted and
 * scored without some of the images. A backbone takes most of the time of the models that rest on one, and knows nothing of folds.
 */
import { type Backbone, features, provideFeatures } from '../../backbones/index.ts';
import { itemSize } from '../../core/item-shape.ts';
import { sizeOf } from '../../core/shape.ts';
import { float32, type Tensors } from '../../core/tensor.ts';
import type { Source } from '../../data/pure.ts';
import { input } from '../../graph/leaf.ts';
import { inputsOf } from '../../graph/program.ts';
import type { Value } from '../../graph/value.ts';
import type { AnyModel } from '../../models/index.ts';
import { Trace } from '../../nn/scope.ts';
import type { Runtime, Session } from '../../runtime/index.ts';
import { bind } from '../scoring/graph.ts';

/** Numbers that are kept at most: 1 GiB. A constant, so that the same command gives the same bytes on every machine. */
const LIMIT = 2 ** 28;

/** Features at one place in the network. */
interface Tap {
  readonly backbone: Backbone;
  readonly tap: string;
  /** The input that stands for them, `[N, C, h, w]`. */
  readonly value: Value;
  /** Numbers of one image. */
  readonly size: number;
  /** Of all items, one after the other. */
  data?: Float32Array;
  /** 1 where an item's are there. */
  has?: Uint8Array;
}

/** A graph over items, and what is fed to it for some of them. */
export interface Fed {
  readonly outputs: Readonly<Record<string, Value>>;
  feed(items: Uint32Array): Promise<Tensors>;
}

export class SharedFeatures {
  private readonly taps = new Map<string, Tap>();
  private readonly places: ReadonlyMap<number, number>;
  private readonly sessions = new Map<string, Promise<Session>>();

  /** `items` are those whose features may be asked for. */
  private constructor(
    private readonly source: Source,
    items: Uint32Array,
    private readonly pretrained: Tensors,
    private readonly runtime: Runtime,
    private readonly signal?: AbortSignal,
  ) {
    this.places = new Map(Array.from(items, (item, place) => [item, place]));
  }

  /** Undefined for models that see no images through a backbone, or learn step by step. */
  static of(
    model: AnyModel,
    config: unknown,
    about: { source: Source; train: Uint32Array; pretrained?: Tensors; runtime: Runtime; signal?: AbortSignal },
  ): SharedFeatures | undefined {
    const { source, train, pretrained = {}, runtime, signal } = about;
    if (model.learns !== 'statistics' || source.kind !== 'image' || !model.backbone?.(config)) return undefined;
    return new SharedFeatures(source, train, pretrained, runtime, signal);
  }

  /**
   * A graph that takes features in place of the images `x`. Undefined where it needs the images themselves, where they are those of
   * another source, and where there are too many numbers to keep.
   */
  over(source: Source, build: (x: Value) => Readonly<Record<string, Value>>): Fed | undefined {
    if (source !== this.source) return undefined;
    const x = input('x', ['N', ...source.shape]);
    provideFeatures(x, (backbone, tap) => this.tapOf(backbone, tap).value);
    const outputs = build(x);
    const needed = [...inputsOf(Object.values(outputs)).keys()].map((name) => this.taps.get(name));
    const taps = needed.flatMap((tap) => tap ?? []);
    const numbers = taps.reduce((n, { size }) => n + size, 0) * this.places.size;
    if (taps.length === 0 || taps.length < needed.length || numbers > LIMIT) return undefined;
    return { outputs, feed: (items) => this.feed(taps, items) };
  }

  close(): void {
    for (const session of this.sessions.values()) session.then((one) => one.close()).catch(() => {});
    this.sessions.clear();
    this.taps.clear();
  }

  private tapOf(backbone: Backbone, tap: string): Tap {
    const name = `features.${tap}`;
    const known = this.taps.get(name);
    if (known) return known;
    const [found] = features(backbone, new Trace(false).group('backbone'), this.image(), [tap]);
    const grid = found.shape.slice(1) as number[];
    const made = { backbone, tap, value: input(name, ['N', ...grid]), size: sizeOf(grid) };
    this.taps.set(name, made);
    return made;
  }

  private image(): Value {
    return input('x', ['N', ...this.source.shape]);
  }

  private async feed(taps: readonly Tap[], items: Uint32Array): Promise<Tensors> {
    const lacking = taps.filter((tap) => items.some((item) => !tap.has?.[this.places.get(item)!]));
    if (lacking.length > 0) await this.compute(lacking, items);
    return Object.fromEntries(
      taps.map(({ value, size, data }) => {
        const own = new Float32Array(items.length * size);
        for (const [k, item] of items.entries()) {
          const at = this.places.get(item)! * size;
          own.set(data!.subarray(at, at + size), k * size);
        }
        return [
          value.node.attributes.name as string,
          float32(own, [items.length, ...(value.shape.slice(1) as number[])]),
        ];
      }),
    );
  }

  private async compute(taps: readonly Tap[], items: Uint32Array): Promise<void> {
    const missing = items.filter((item) => taps.some(({ has }) => !has?.[this.places.get(item)!]));
    const images = new Float32Array(missing.length * itemSize(this.source.shape));
    await this.source.read(missing, images);
    const session = await this.sessionOf(taps);
    const x = float32(images, [missing.length, ...this.source.shape]);
    const out = await session.run({ x }, { transfer: true, signal: this.signal });
    for (const tap of taps) {
      tap.data ??= new Float32Array(this.places.size * tap.size);
      tap.has ??= new Uint8Array(this.places.size);
      const made = out[tap.tap].data as Float32Array;
      for (const [k, item] of missing.entries()) {
        const place = this.places.get(item)!;
        tap.data.set(made.subarray(k * tap.size, (k + 1) * tap.size), place * tap.size);
        tap.has[place] = 1;
      }
    }
  }

  private sessionOf(taps: readonly Tap[]): Promise<Session> {
    const names = taps.map(({ tap }) => tap);
    const known = this.sessions.get(names.join());
    if (known) return known;
    const trace = new Trace(false, this.pretrained);
    const found = features(taps[0].backbone, trace.group('backbone').frozen(), this.image(), names);
    const outputs = bind(
      'features',
      Object.fromEntries(names.map((name, i) => [name, found[i]])),
      trace,
      this.pretrained,
    );
    const session = this.runtime.compile({ name: 'features', outputs, carry: {} });
    this.sessions.set(names.join(), session);
    return session;
  }
}
