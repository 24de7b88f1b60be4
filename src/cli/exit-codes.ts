/** Exit codes of results that are no errors; those of errors are in words.ts. */

/** `predict`: some images or rows could not be scored. `sweep`: some trials failed. */
export const SOME_FAILED = 6;
/** `inspect`: there are errors. */
export const FAULTS_FOUND = 7;
/** `export --verify`: outputs differ. */
export const NOT_VERIFIED = 8;
