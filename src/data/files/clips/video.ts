/**
 * Frames of video files, decoded by the programs `ffprobe` and `ffmpeg` that a user has; none comes with oddity. Raw frames
 * come through a pipe at the size that is asked for, in order: a reader that asks for the frames behind those that it had
 * goes on, any other starts again at the first. Programs are ended when a reader is closed or its run is cancelled. Left out:
 * sound, and frames at another rate than that of the file. Node only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Cancelled, DataError, RuntimeUnavailable } from '../../../core/errors.ts';
import { requireFile } from '../read-input.ts';

const endings = ['mp4', 'm4v', 'avi', 'mov', 'mkv', 'webm', 'mpg', 'mpeg', 'wmv'];

/** Whether a name is that of a video. */
export const isVideoName = (name: string): boolean =>
  endings.includes(/\.([^./\\]+)$/.exec(name)?.[1].toLowerCase() ?? '');

/** What a video holds. */
export interface VideoFacts {
  readonly frames: number;
  /** Upright. */
  readonly height: number;
  readonly width: number;
  /** Frames a second; absent where the file does not say. */
  readonly rate?: number;
  /** What was wrong with some frames, in the words of the decoder; absent for nothing. */
  readonly fault?: string;
}

/** Counts the frames of a video by decoding them. Throws DataError `unreadable-video`, RuntimeUnavailable `no-ffmpeg`, Cancelled. */
export async function probeVideo(path: string, signal?: AbortSignal): Promise<VideoFacts> {
  await requireFile(path);
  const entries = 'stream=width,height,avg_frame_rate,nb_read_frames:stream_side_data=rotation';
  const args = ['-v', 'error', '-select_streams', 'v:0', '-count_frames', '-show_entries', entries, '-of', 'json'];
  const child = start('ffprobe', [...args, asFile(path)], signal);
  const parts: Buffer[] = [];
  child.stdout!.on('data', (part: Buffer) => parts.push(part));
  const { fault } = await ended(child, path, signal);
  const text = Buffer.concat(parts).toString();
  const [stream] = (text === '' ? [] : (JSON.parse(text).streams ?? [])) as Record<string, unknown>[];
  const [frames, height, width] = ['nb_read_frames', 'height', 'width'].map((name) => Number(stream?.[name]));
  if (!(frames > 0 && height > 0 && width > 0)) {
    throw unreadable(path, fault ?? 'it has no frames');
  }
  const [count, seconds] = String(stream.avg_frame_rate).split('/').map(Number);
  const rate = count > 0 && seconds > 0 ? count / seconds : undefined;
  const turns = (stream.side_data_list as { rotation?: number }[] | undefined)?.find((d) => d.rotation !== undefined);
  const isTurned = Math.abs(turns?.rotation ?? 0) % 180 === 90;
  return {
    frames,
    ...(isTurned ? { height: width, width: height } : { height, width }),
    ...(rate !== undefined && { rate }),
    ...(fault !== undefined && { fault }),
  };
}

/** Reads frames of a video. */
export interface VideoReader {
  /** Bytes `[n, C, H, W]` of the frames from `from` to before `to`. Throws as `probeVideo`. */
  read(from: number, to: number): Promise<Uint8Array>;
  close(): void;
}

/** Opens a video whose frames become `shape`: channels, height, width. Nothing runs before the first frame is asked for. */
export function openVideo(
  path: string,
  [channels, height, width]: readonly [number, number, number],
  signal?: AbortSignal,
): VideoReader {
  const size = channels * height * width;
  let open: { child: ChildProcess; chunks: AsyncIterator<Buffer>; rest: Buffer; at: number; end: Ending } | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const close = () => {
    open?.child.kill('SIGKILL');
    open = undefined;
  };

  const openAt = (frame: number) => {
    close();
    // Frames before are decoded and not sent: a video has no other way to a frame that is surely that one.
    const filters = [`select=gte(n\\,${frame})`, `scale=${width}:${height}:flags=bicubic`];
    const format = channels === 1 ? 'gray' : 'rgb24';
    const plain = [
      '-map',
      '0:v:0',
      '-vf',
      filters.join(','),
      '-vsync',
      'passthrough',
      '-pix_fmt',
      format,
      '-f',
      'rawvideo',
    ];
    const child = start('ffmpeg', ['-v', 'error', '-nostdin', '-i', asFile(path), ...plain, 'pipe:1'], signal);
    const end = ended(child, path, signal);
    end.catch(() => {}); // heard when frames are missing
    open = { child, chunks: child.stdout![Symbol.asyncIterator](), rest: Buffer.alloc(0), at: frame, end };
    return open;
  };

  const readNow = async (from: number, to: number): Promise<Uint8Array> => {
    const stream = open?.at === from ? open : openAt(from);
    const wanted = (to - from) * size;
    const parts = [stream.rest];
    let have = stream.rest.length;
    while (have < wanted) {
      const { done, value } = await stream.chunks.next();
      if (done) {
        open = undefined;
        const { fault } = await stream.end;
        throw unreadable(path, fault ?? `it ended before frame ${from + Math.floor(have / size) + 1}`);
      }
      parts.push(value);
      have += value.length;
    }
    const bytes = Buffer.concat(parts);
    stream.rest = bytes.subarray(wanted);
    stream.at = to;
    return channels === 1 ? new Uint8Array(bytes.subarray(0, wanted)) : planes(bytes, to - from, height * width);
  };

  return {
    read(from, to) {
      const next = last.then(() => readNow(from, to));
      last = next.catch(() => {});
      return next;
    },
    close,
  };
}

/** Pixels with their channels side by side as planes. */
function planes(bytes: Uint8Array, frames: number, area: number): Uint8Array {
  const out = new Uint8Array(frames * 3 * area);
  for (let f = 0; f < frames; f++) {
    const at = f * 3 * area;
    for (let p = 0; p < area; p++) for (let c = 0; c < 3; c++) out[at + c * area + p] = bytes[at + 3 * p + c];
  }
  return out;
}

type Ending = Promise<{ readonly fault?: string }>;

/** A path that no program takes for an option or an address. */
export const asFile = (path: string) => `file:${path}`;

/** Starts a program that ends with the signal. Throws Cancelled. */
export function start(program: string, args: readonly string[], signal: AbortSignal | undefined): ChildProcess {
  if (signal?.aborted) throw new Cancelled();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  const stop = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  child.once('close', () => signal?.removeEventListener('abort', stop));
  child.once('error', () => signal?.removeEventListener('abort', stop));
  child.on('error', () => child.stdout?.destroy());
  return child;
}

/** Waits for the end of a program; a fault that left it something to show is told and not thrown. `hidden` is not to be shown. */
export function ended(child: ChildProcess, path: string, signal: AbortSignal | undefined, hidden = path): Ending {
  let said = '';
  child.stderr!.on('data', (part: Buffer) => {
    if (said.length < 4096) said += part.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT'
          ? new RuntimeUnavailable(
              'no-ffmpeg',
              `${path} is a video, which needs the programs ffmpeg and ffprobe on the PATH, but they are not there. ` +
                'Install ffmpeg, or save the frames as images in a folder.',
            )
          : unreadable(path, error.message),
      );
    });
    child.once('close', (code) => {
      if (signal?.aborted) return reject(new Cancelled());
      const fault = briefly(said.replaceAll(hidden, path), path);
      if (code === 0) return resolve(fault === '' ? {} : { fault });
      if (code === null) return resolve({}); // ended by us
      return reject(unreadable(path, fault || `the decoder ended with code ${code}`));
    });
  });
}

/** The last line of what a decoder says, without the path and its own prefixes. */
function briefly(said: string, path: string): string {
  const lines = said.split('\n').map((line) => line.replaceAll(`file:${path}`, '').replace(/^\[[^\]]*\]\s*/, ''));
  const told = lines.map((line) => line.replace(/^[:\s]+/, '').trim()).filter((line) => line !== '');
  return (told[0] ?? '').slice(0, 160);
}

const unreadable = (path: string, reason: string) =>
  new DataError(
    'unreadable-video',
    `${path} must be a video that ffmpeg can read, but it cannot (${reason.replace(/\.$/, '')}). It may be damaged or no video: play it, or convert it.`,
  );
