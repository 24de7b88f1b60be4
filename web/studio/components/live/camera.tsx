import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { FrameScore } from '../../../../src/studio/routes/live.ts';
import { at, send } from '../../api.ts';
import { liveWords as say } from '../../words/live.ts';

/** Times that speed is told from. */
const TIMES = 60;

/** The camera of the browser: a picture is sent, scored and shown before the next one is taken. */
export function Camera({ project, run }: { project: string; run: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const isOn = useSignal(false);
  const fault = useSignal('');
  const found = useSignal<FrameScore | undefined>(undefined);
  const times = useSignal<readonly number[]>([]);
  const stop = useRef(() => {});

  useEffect(() => () => stop.current(), []);

  const start = async () => {
    fault.value = '';
    const stream = await navigator.mediaDevices?.getUserMedia({ video: true }).catch(() => undefined);
    const shown = video.current;
    if (!stream || !shown) {
      fault.value = say.cameraFault;
      return;
    }
    stop.current = () => {
      for (const track of stream.getTracks()) track.stop();
      isOn.value = false;
    };
    shown.srcObject = stream;
    await shown.play();
    isOn.value = true;
    times.value = [];
    while (isOn.peek()) {
      const begin = performance.now();
      try {
        const frame = await pictureOf(shown);
        found.value = await send<FrameScore>('POST', at(project, `/runs/${encodeURIComponent(run)}/frame`), frame);
      } catch (error) {
        fault.value = (error as Error).message;
        stop.current();
      }
      times.value = [...times.peek().slice(1 - TIMES), performance.now() - begin];
      await new Promise((next) => requestAnimationFrame(next));
    }
  };

  const frame = found.value;
  return (
    <section class="camera">
      <h2>{say.camera}</h2>
      <p class="soft">{say.cameraAbout}</p>
      <button type="button" onClick={() => (isOn.value ? stop.current() : void start())}>
        {isOn.value ? say.cameraStop : say.cameraStart}
      </button>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
      <video ref={video} muted playsInline hidden />
      {frame && isOn.value ? (
        <>
          <img src={frame.overlay} alt={say.picture(say.camera)} />
          <p role="status">
            <strong class={frame.isAnomalous ? 'anomalous' : 'normal'}>
              {frame.isAnomalous === null ? say.undecided : frame.isAnomalous ? say.anomalous : say.normal}
            </strong>{' '}
            {say.score} {frame.score.toPrecision(4)}
          </p>
          <p class="soft">{speedOf(times.value)}</p>
        </>
      ) : (
        <p class="soft">{say.paused}</p>
      )}
    </section>
  );
}

async function pictureOf(video: HTMLVideoElement): Promise<Blob> {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext('2d')!.drawImage(video, 0, 0);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
}

function speedOf(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const place = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const mean = times.reduce((sum, ms) => sum + ms, 0) / Math.max(1, times.length);
  return say.speed((1000 / mean).toFixed(1), place(0.5).toFixed(0), place(0.95).toFixed(0));
}
