/** Lays items out beside the page, which stays quick meanwhile. */
import { type LaidOut, layOut } from './lay-out.ts';
import type { Features } from './neighbours.ts';

export type FromLayOut =
  | { readonly share: number }
  | { readonly laidOut: LaidOut }
  /** What went wrong, for people. */
  | { readonly fault: string };

const send = (message: FromLayOut, transfer: Transferable[] = []) => postMessage(message, { transfer });

addEventListener('message', ({ data }: MessageEvent<Features>) => {
  try {
    const laidOut = layOut(data, (share) => send({ share }));
    send({ laidOut }, [laidOut.points.buffer, laidOut.nearest.buffer]);
  } catch (error) {
    send({ fault: (error as Error).message });
  }
});
