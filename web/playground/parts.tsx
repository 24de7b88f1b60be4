/** Parts that the tabs share: dropping files, making a detector, the threshold, downloads. */
import { useSignal } from '@preact/signals';
import type { ModelName } from 'oddity/browser';
import type { ComponentChildren } from 'preact';
import { attempt, type Flow, shown, type Telling } from './flow.ts';

/** Files by the keyboard, by a click or dropped. */
export function Drop(props: {
  label: string;
  accept: string;
  several?: boolean;
  onFiles: (files: File[]) => void;
  children?: ComponentChildren;
}) {
  const isOver = useSignal(false);
  const id = `file-${props.label.replace(/\W+/g, '-').toLowerCase()}`;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the field inside is the first.
    <div
      class={isOver.value ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => {
        isOver.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        isOver.value = false;
        props.onFiles([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <label for={id}>{props.label}</label>
      <input
        id={id}
        type="file"
        accept={props.accept}
        multiple={props.several}
        onChange={({ currentTarget }) => {
          props.onFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = ''; // so that the same files can be chosen again
        }}
      />
      {props.children}
    </div>
  );
}

/** A model as the choice offers it. */
export interface Offer {
  readonly name: ModelName;
  readonly words: string;
}

/** The step that makes a detector, or opens one. */
export function Maker(props: {
  flow: Flow;
  kind: string;
  offers: readonly Offer[];
  /** Sides of images that can be chosen. */
  sizes?: readonly number[];
  /** What is missing before a detector can be made; empty when all is there. */
  missing: string;
  onMake: (model: ModelName, device: 'wasm' | 'webgpu', size?: number) => void;
}) {
  const { flow, offers, sizes, missing, kind } = props;
  const model = useSignal<ModelName>(offers[0].name);
  const device = useSignal<'wasm' | 'webgpu'>('wasm');
  const size = useSignal(sizes?.[0]);
  return (
    <section class="step" aria-labelledby={`make-${kind}`}>
      <h2 id={`make-${kind}`}>2. Make a detector</h2>
      <div class="line">
        <label class="field">
          <span>Model</span>
          <select
            value={model.value}
            onChange={(event) => {
              model.value = event.currentTarget.value as ModelName;
            }}
          >
            {offers.map(({ name, words }) => (
              <option value={name} key={name}>
                {words}
              </option>
            ))}
          </select>
        </label>
        {sizes && (
          <label class="field">
            <span>Image size</span>
            <select
              value={size.value}
              onChange={(event) => {
                size.value = Number(event.currentTarget.value);
              }}
            >
              {sizes.map((side) => (
                <option value={side} key={side}>
                  {side} pixels
                </option>
              ))}
            </select>
          </label>
        )}
        {'gpu' in navigator && (
          <label class="field">
            <span>Compute with</span>
            <select
              value={device.value}
              onChange={(event) => {
                device.value = event.currentTarget.value as 'wasm' | 'webgpu';
              }}
            >
              <option value="wasm">Processor</option>
              <option value="webgpu">Graphics card (loads 27 MB)</option>
            </select>
          </label>
        )}
        {flow.isBusy.value ? (
          <button type="button" onClick={() => flow.cancel()}>
            Cancel
          </button>
        ) : (
          <button
            type="button"
            class="main"
            disabled={missing !== ''}
            onClick={() => props.onMake(model.value, device.value, size.value)}
          >
            Make detector
          </button>
        )}
      </div>
      {missing !== '' && <p class="soft">{missing}</p>}
      <How flow={flow} />
      <Told telling={flow.making} />
      <details>
        <summary>Open a detector instead</summary>
        <Drop
          label="model.onnx and model.json of a detector"
          accept=".onnx,.json,.data"
          several
          onFiles={(files) => flow.open(kind, files)}
        />
      </details>
    </section>
  );
}

/** How far the making is, seen and heard. */
function How({ flow }: { flow: Flow }) {
  const now = flow.progress.value;
  return (
    <>
      {now && (
        <div>
          <progress aria-label={now.stage} {...(now.share !== undefined && { max: 1, value: now.share })} />
          <p>
            {now.stage} …{now.secondsLeft !== undefined && ` about ${now.secondsLeft} s left in this step`}
          </p>
        </div>
      )}
      <p class="hidden" aria-live="polite">
        {now?.stage ?? ''}
      </p>
    </>
  );
}

/** What a step says of itself, seen and heard. */
export function Told({ telling }: { telling: Telling }) {
  return (
    <>
      <p class="problem" role="alert">
        {telling.problem}
      </p>
      <p aria-live="polite">{telling.said}</p>
    </>
  );
}

/** The threshold as a slider over the scores, and what it means. */
export function Threshold({ flow, scores, what }: { flow: Flow; scores: readonly number[]; what: string }) {
  const { threshold, detector } = flow;
  const own = detector.value?.threshold ?? undefined;
  const known = [...scores.filter(Number.isFinite), ...(own === undefined ? [] : [own])];
  const low = known.reduce((least, v) => Math.min(least, v), Number.POSITIVE_INFINITY);
  const high = known.reduce((most, v) => Math.max(most, v), Number.NEGATIVE_INFINITY);
  // Both ends lie beyond the scores.
  const margin = 0.02 * (high - low) || 1;
  const above = scores.filter((score) => score >= threshold.value).length;
  return (
    <div class="field">
      <label>
        Threshold
        <input
          type="range"
          min={low - margin}
          max={high + margin}
          step="any"
          value={threshold.value}
          aria-valuetext={`${shown(threshold.value)}: ${above} of ${scores.length} ${what} anomalous`}
          onInput={(event) => {
            threshold.value = Number(event.currentTarget.value);
          }}
        />
      </label>
      <span>
        {shown(threshold.value)}: {above} of {scores.length} {what} anomalous.{' '}
        {own !== undefined && (
          <button
            type="button"
            onClick={() => {
              threshold.value = own;
            }}
          >
            Back to {shown(own)}
          </button>
        )}
      </span>
    </div>
  );
}

/** Offers bytes as a file. */
export function download(name: string, bytes: Uint8Array | string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes as BlobPart]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** The step that gives the detector away. */
export function Keep({ flow, number }: { flow: Flow; number: number }) {
  const { detector } = flow;
  if (!detector.value) return null;
  const { info } = detector.value;
  return (
    <section class="step">
      <h2>{number}. Take the detector with you</h2>
      <p>
        {info.title}. Keep both files together: <code>loadDetector</code> opens them in Node and in pages,{' '}
        <code>oddity serve</code> serves them, and any ONNX Runtime runs <code>model.onnx</code>.
      </p>
      <div class="line">
        <button
          type="button"
          onClick={() =>
            attempt(flow.making, async () => {
              for (const [name, bytes] of Object.entries(await detector.value!.files())) download(name, bytes);
            })
          }
        >
          Download model.onnx and model.json
        </button>
      </div>
    </section>
  );
}
