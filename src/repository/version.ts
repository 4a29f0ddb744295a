/** This program's version; a test holds it equal to package.json's. */
export const PROGRAM_VERSION = '0.1.0'
