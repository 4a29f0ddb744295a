/** Whether the system lets this process change any file: what it refuses then is worth a word. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0
}
