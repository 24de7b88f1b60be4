/**
 * How large a file may become in memory, over all layers of packing inside it. A file of a few bytes that unpacks to
 * gigabytes, in one layer or in several inside each other, is refused before it costs memory.
 */
import { DataError } from '../../core/errors.ts';

/** No byte of deflate gives more than 1032 (RFC 1951): one layer of it is never refused for its rate. */
const MOST_RATE = 1032;
const MIB = 2 ** 20;
/** What any file may take, however small it is, and what none may exceed. */
const UNPACKED = { least: 64 * MIB, most: 2048 * MIB };
const HELD = { least: 256 * MIB, most: 2048 * MIB };

/** What is left of the bytes that one file may become; shared by all who unpack parts of it. */
export class ByteBudget {
  private unpacked = 0;
  private held = 0;

  /** `packedBytes` is the size of the file on disk; `file` names it in messages. */
  constructor(
    readonly file: string,
    private readonly packedBytes: number,
  ) {}

  /** Counts bytes that a layer of packing gives. Throws DataError `too-large` once all layers give too many. */
  unpack(bytes: number): void {
    this.unpacked += bytes;
    this.check(this.unpacked, UNPACKED, 'unpack to');
  }

  /** Counts bytes of values that are made of the content. Throws DataError `too-large` once there are too many. */
  hold(bytes: number): void {
    this.held += bytes;
    this.check(this.held, HELD, 'take');
  }

  private check(bytes: number, { least, most }: typeof UNPACKED, verb: string): void {
    const limit = Math.min(most, least + MOST_RATE * this.packedBytes);
    if (bytes <= limit) return;
    throw new DataError(
      'too-large',
      `${this.file} has ${this.packedBytes} bytes and must ${verb} at most ${limit}, but needs more. It is damaged or was made ` +
        'to fill the memory: fetch it again, or split it.',
    );
  }
}
