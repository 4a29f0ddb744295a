/** Node alone, which does nothing: what any program on it pays to start. */
export const node = {
  name: 'node',
  isThere: () => true,
  version: () => process.version,
  environment: () => ({}),
  commands: { start: () => [[process.execPath, '-e', '0']] },
  hasCommand: (name) => name === 'start',
}
