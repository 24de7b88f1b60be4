/** The version of this package, which artefacts name. The same as in package.json, as a test requires: a page has no file to read. */
export const version = '0.1.0';
