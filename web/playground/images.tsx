/** The tab of images: good ones, a detector, others with maps, a camera, the threshold. */
import { computed, signal, useSignal } from '@preact/signals';
import type { ItemScore } from 'oddity/browser';
import { useEffect, useRef } from 'preact/hooks';
import { attempt, openFlow, shown } from './flow.ts';
import { goodTiles, otherTiles } from './made.ts';
import { Drop, Keep, Maker, type Offer, Threshold, Told } from './parts.tsx';
import { drawScore, pictureText } from './picture.ts';

/** A file with its address for `<img>`. */
interface Picture {
  readonly file: File;
  readonly url: string;
}

interface Scored {
  readonly name: string;
  readonly bitmap: ImageBitmap;
  readonly score: ItemScore;
}

const flow = openFlow();
const good = signal<readonly Picture[]>([]);
const others = signal<readonly Scored[]>([]);
/** Files whose scores are awaited. */
const waiting = signal(0);
const opacity = signal(0.75);

const offers: readonly Offer[] = [
  { name: 'patchcore', words: 'PatchCore: textures and parts' },
  { name: 'padim', words: 'PaDiM: parts that lie alike' },
  { name: 'dfm', words: 'DFM: fast, few details' },
  { name: 'pca', words: 'PCA: simplest' },
  { name: 'autoencoder', words: 'Autoencoder: learns from scratch' },
];

/** Fewer than this say little about what is usual. */
const FEW = 5;

const picturesOf = (files: readonly File[]): Picture[] =>
  files.filter(({ type }) => type.startsWith('image/')).map((file) => ({ file, url: URL.createObjectURL(file) }));

const addGood = (files: readonly File[]) => {
  good.value = [...good.value, ...picturesOf(files)];
};

function clearGood(): void {
  for (const { url } of good.value) URL.revokeObjectURL(url);
  good.value = [];
}

/** Scores files one after the other, and shows each as soon as it is known. */
async function score(files: readonly File[]): Promise<void> {
  const detector = flow.detector.value;
  if (!detector) return;
  waiting.value += files.length;
  await attempt(flow.scoring, async () => {
    for (const file of files) {
      try {
        const found = await detector.scoreImage(file);
        const scored = { name: file.name, bitmap: await createImageBitmap(file), score: found };
        others.value = [...others.value, scored];
      } finally {
        waiting.value--;
      }
    }
    flow.scoring.said.value = `${files.length} images scored.`;
  });
  waiting.value = 0;
}

/** Scores of a former detector mean nothing under another one. */
flow.detector.subscribe(() => {
  others.value = [];
});

/** The largest value of a map. */
const peakOf = ({ map }: ItemScore) => map.reduce((most, v) => Math.max(most, v), 0);
/** Of all maps that are shown, so that their colours mean the same. */
const highest = computed(() => others.value.reduce((most, one) => Math.max(most, peakOf(one.score)), 0));

const verdictOf = (value: number) => (value >= flow.threshold.value ? 'anomalous' : 'normal');

function Card({ name, bitmap, score: found }: Scored) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const verdict = verdictOf(found.score);
  const mapThreshold = flow.detector.value?.info.mapThreshold?.value ?? null;
  useEffect(() => {
    drawScore(canvas.current!, bitmap, found, { opacity: opacity.value, mapThreshold, high: highest.value });
  }, [bitmap, found, opacity.value, mapThreshold, highest.value]);
  return (
    <figure class={verdict}>
      <canvas ref={canvas} role="img" aria-label={pictureText(name, verdict, shown(found.score), found.regions)} />
      <figcaption>
        <span class={`verdict ${verdict}`}>{verdict === 'anomalous' ? '▲ Anomalous' : '● Normal'}</span>{' '}
        {shown(found.score)}
        <br />
        {name}
      </figcaption>
    </figure>
  );
}

/** A live picture: scored again and again, or taken as a good one. */
function Camera() {
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const isOn = useSignal(false);
  const words = useSignal('');
  const stream = useRef<MediaStream | undefined>(undefined);

  const stop = () => {
    isOn.value = false;
    for (const track of stream.current?.getTracks() ?? []) track.stop();
    stream.current = undefined;
  };
  useEffect(() => stop, []);

  const showFrames = async () => {
    const view = video.current!;
    while (isOn.peek()) {
      await new Promise((next) => view.requestVideoFrameCallback(next));
      const detector = flow.detector.peek();
      const frame = await createImageBitmap(view);
      if (detector) {
        const found = await detector.scoreImage(frame);
        const mapThreshold = detector.info.mapThreshold?.value ?? null;
        drawScore(canvas.current!, frame, found, { opacity: opacity.peek(), mapThreshold, high: peakOf(found) });
        words.value = `${verdictOf(found.score)}, score ${shown(found.score)}`;
      } else if (canvas.current) {
        [canvas.current.width, canvas.current.height] = [frame.width, frame.height];
        canvas.current.getContext('2d')!.drawImage(frame, 0, 0);
        words.value = 'No detector yet';
      }
      frame.close();
    }
  };
  const start = () =>
    attempt(flow.scoring, async () => {
      stream.current = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      video.current!.srcObject = stream.current;
      await video.current!.play();
      isOn.value = true;
      showFrames().catch((error: Error) => {
        stop();
        flow.scoring.problem.value = error.message;
      });
    });
  const take = async () => {
    const view = video.current!;
    const picture = new OffscreenCanvas(view.videoWidth, view.videoHeight);
    picture.getContext('2d')!.drawImage(view, 0, 0);
    addGood([new File([await picture.convertToBlob()], `camera-${good.value.length + 1}.png`, { type: 'image/png' })]);
  };
  return (
    <div class="camera">
      <video ref={video} muted playsInline />
      <div class="line">
        <button type="button" onClick={isOn.value ? stop : start}>
          {isOn.value ? 'Stop camera' : 'Start camera'}
        </button>
        {isOn.value && (
          <button type="button" onClick={take}>
            Add picture to the good ones
          </button>
        )}
      </div>
      <canvas ref={canvas} role="img" aria-label="Picture of the camera with its anomaly map" hidden={!isOn.value} />
      {isOn.value && <p>{words}</p>}
    </div>
  );
}

export function Images() {
  const count = good.value.length;
  const missing = count === 0 ? 'Add good images first.' : count < FEW ? `At least ${FEW} good images are needed.` : '';
  return (
    <>
      <section class="step" aria-labelledby="good-images">
        <h2 id="good-images">1. Show what is good</h2>
        <p>Twenty images of good parts or surfaces, taken alike, are enough for a start.</p>
        <Drop label="Good images" accept="image/*" several onFiles={addGood} />
        <div class="line">
          <button type="button" onClick={async () => addGood(await goodTiles())}>
            Use made-up tiles
          </button>
          {count > 0 && (
            <button type="button" onClick={clearGood}>
              Remove all
            </button>
          )}
        </div>
        <p aria-live="polite">{count > 0 && `${count} good images`}</p>
        {count > 0 && (
          <ul class="thumbs">
            {good.value.slice(-24).map(({ url, file }) => (
              <li key={url}>
                <img src={url} alt={file.name} />
              </li>
            ))}
          </ul>
        )}
      </section>
      <Maker
        flow={flow}
        kind="image"
        offers={offers}
        sizes={[128, 256]}
        missing={missing}
        onMake={(model, device, size) =>
          flow.make(
            model,
            good.value.map(({ file }) => file),
            device,
            size,
          )
        }
      />
      <section class="step" aria-labelledby="score-images">
        <h2 id="score-images">3. Score others</h2>
        {flow.detector.value ? (
          <>
            <Drop label="Images to score" accept="image/*" several onFiles={score} />
            <div class="line">
              <button type="button" onClick={async () => score(await otherTiles())}>
                Score made-up tiles
              </button>
            </div>
          </>
        ) : (
          <p class="soft">Make or open a detector first.</p>
        )}
        <Camera />
        <Told telling={flow.scoring} />
        <p aria-live="polite">{waiting.value > 0 && `Scoring ${waiting} more …`}</p>
        {others.value.length > 0 && (
          <>
            <div class="sliders">
              <Threshold flow={flow} scores={others.value.map((one) => one.score.score)} what="images" />
              <label class="field">
                Strength of the map
                <input
                  type="range"
                  min="0"
                  max="1"
                  step="0.05"
                  value={opacity.value}
                  onInput={(event) => {
                    opacity.value = Number(event.currentTarget.value);
                  }}
                />
              </label>
            </div>
            <ul class="cards">
              {others.value.map((one) => (
                <li key={one.bitmap}>
                  <Card {...one} />
                </li>
              ))}
            </ul>
          </>
        )}
      </section>
      <Keep flow={flow} number={4} />
    </>
  );
}
