/**
 * Frames of a camera, or of a video file, as PNG files, through the program `ffmpeg` that a user has. Of what is live only the newest
 * frame waits: whoever is slow misses some, and is told how many. A connection that ends, or is still for too long, is made again with growing
 * pauses. A file is read frame by frame to its end. Left out: sound, recording, cameras that only other programs can read. Node only.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Cancelled, ConfigError, RuntimeUnavailable } from '../../../core/errors.ts';
import { option, say } from '../../../core/text.ts';
import { requireFile } from '../read-input.ts';
import { asFile, ended, start } from './video.ts';

/** Pauses between connections, milliseconds. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60_000;
/** A live camera that sends nothing for so long, and for five frames, is connected anew. */
const STILL_MS = 15_000;

/** Where frames come from. */
export interface CameraAddress {
  /** What ffmpeg is given. */
  readonly input: readonly string[];
  /** Without name and password, for messages. */
  readonly shown: string;
  readonly isLive: boolean;
}

/** A frame. */
export interface CameraFrame {
  /** A PNG file. */
  readonly png: Uint8Array;
  /** Since 1970, milliseconds: when it came. */
  readonly time: number;
  /** Frames that came since the one before, and were not waited for. */
  readonly missed: number;
}

export interface CameraOptions {
  /** Frames a second. */
  readonly rate: number;
  readonly signal: AbortSignal;
  /** Hears that the connection is lost, once for each loss, and that it is there again. */
  onState(isThere: boolean, reason: string): void;
  /** Milliseconds before the first new connection; default 1000. */
  readonly firstPause?: number;
}

/**
 * What a text means: `rtsp://…`, `http://…` and others of that kind, `/dev/video0`, or the path of a video.
 * @throws ConfigError `camera` for other addresses, DataError `not-a-file`.
 */
export async function cameraAddress(text: string): Promise<CameraAddress> {
  const shown = text.replace(/\/\/[^/@]*@/, '//');
  if (/^\/dev\/video\d+$/.test(text)) return { input: ['-f', 'v4l2', '-i', text], shown, isLive: true };
  if (/^(rtsps?|rtmps?|https?|udp|tcp|srt):\/\/./i.test(text) && URL.canParse(text)) {
    const transport = /^rtsp/i.test(text) ? ['-rtsp_transport', 'tcp'] : [];
    return { input: [...transport, '-i', text], shown, isLive: true };
  }
  if (/^[a-z][\w+.-]+:/i.test(text)) {
    throw new ConfigError(
      'camera',
      say`${option('camera')} must be an address of rtsp, rtmp, http, https, udp, tcp or srt, a device such as /dev/video0, or
        the path of a video, got ${shown}.`,
    );
  }
  await requireFile(text);
  return { input: ['-i', asFile(text)], shown, isLive: false };
}

/**
 * The frames of an address, until `signal` aborts or a file ends.
 * @throws RuntimeUnavailable `no-ffmpeg`; DataError `unreadable-video` for a file.
 */
export async function* cameraFrames(address: CameraAddress, options: CameraOptions): AsyncGenerator<CameraFrame> {
  const { signal, onState, firstPause = FIRST_PAUSE } = options;
  let isThere = true;
  for (let rest = firstPause; !signal.aborted; rest = Math.min(2 * rest, LONGEST_PAUSE)) {
    let reason = 'it sent no frame';
    try {
      for await (const frame of connection(address, options)) {
        if (!isThere) onState(true, '');
        isThere = true;
        rest = firstPause;
        reason = 'it sent no more frames';
        yield frame;
      }
      if (!address.isLive) return;
    } catch (error) {
      if (signal.aborted || error instanceof Cancelled) return;
      if ((error as { code?: string }).code === 'no-ffmpeg') {
        throw new RuntimeUnavailable(
          'no-ffmpeg',
          `Frames of ${address.shown} are read by the program ffmpeg, which must be on the PATH, but is not there. Install ffmpeg.`,
        );
      }
      if (!address.isLive) throw error;
      reason = (error as Error).message;
    }
    if (signal.aborted) return;
    if (isThere) onState(false, reason);
    isThere = false;
    await pause(rest, undefined, { signal }).catch(() => {});
  }
}

/** The frames of one connection. */
async function* connection(
  { input, shown, isLive }: CameraAddress,
  { rate, signal }: CameraOptions,
): AsyncGenerator<CameraFrame> {
  const ending = new AbortController();
  const both = AbortSignal.any([signal, ending.signal]);
  const output = ['-map', '0:v:0', '-vf', `fps=${rate}`, '-f', 'image2pipe', '-c:v', 'png', '-compression_level', '1'];
  const child = start('ffmpeg', ['-v', 'error', '-nostdin', ...input, ...output, 'pipe:1'], both);
  const end = ended(child, shown, signal, input.at(-1));
  end.catch(() => {}); // heard below
  const still = Math.max(STILL_MS, 5000 / rate);
  let timer: NodeJS.Timeout | undefined;
  const awake = () => {
    clearTimeout(timer);
    if (isLive) timer = setTimeout(() => ending.abort(), still);
  };
  awake();
  child.stdout!.on('data', awake);
  try {
    if (isLive) yield* newest(pngs(child.stdout!));
    else for await (const png of pngs(child.stdout!)) yield { png, time: Date.now(), missed: 0 };
    await end;
  } catch (error) {
    await end; // it knows why its output ended
    throw error;
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

/** Reads on while frames are worked on, and keeps the newest only. */
async function* newest(frames: AsyncIterable<Uint8Array>): AsyncGenerator<CameraFrame> {
  let waiting: { png: Uint8Array; time: number; missed: number } | undefined;
  let state: 'open' | 'ended' | { readonly error: unknown } = 'open';
  let wake = () => {};
  void (async () => {
    try {
      for await (const png of frames) {
        waiting = { png, time: Date.now(), missed: waiting ? waiting.missed + 1 : 0 };
        wake();
      }
      state = 'ended';
    } catch (error) {
      state = { error };
    }
    wake();
  })();
  for (;;) {
    if (waiting) {
      const frame = waiting;
      waiting = undefined;
      yield frame;
    } else if (state !== 'open') {
      if (state !== 'ended') throw (state as { error: unknown }).error;
      return;
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

/** PNG files that follow each other in a stream: a signature of 8 bytes, then pieces with their lengths up to one named IEND. */
async function* pngs(stream: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  let at = 8;
  for await (const part of stream) {
    rest = Buffer.concat([rest, part]);
    while (rest.length >= at + 8) {
      const after = at + 12 + rest.readUInt32BE(at);
      const isLast = rest.toString('latin1', at + 4, at + 8) === 'IEND';
      if (!isLast) {
        at = after;
        continue;
      }
      if (rest.length < after) break;
      yield new Uint8Array(rest.subarray(0, after));
      rest = rest.subarray(after);
      at = 8;
    }
  }
}
