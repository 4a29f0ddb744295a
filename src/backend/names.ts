const MAX_DIRECTORIES = 3
const MAX_PART_BYTES = 255
const DIRECTORY = /^[a-z0-9]{1,64}$/
const OWNER = /^[a-z0-9]{1,64}$/
const TEMPORARY = /^tmp\/([a-z0-9]{1,64})-[0-9a-f]{16}$/
/** A separator anywhere, or text that no file system gives back as it was: NUL, lone surrogates, their stand-in. */
const UNFIT = /[\0/\\\ufffd\p{Surrogate}]/u

/** Throw unless this can be the name of a stored file (Backend, "Names"). */
export function checkName(name: string): void {
  if (!isName(name)) throw new Error(`not a name of a stored file: ${JSON.stringify(name)}`)
}

export function isName(name: string): boolean {
  const slash = name.lastIndexOf('/')
  const file = name.slice(slash + 1)
  if (slash !== -1 && (slash === 0 || !isDirectory(name.slice(0, slash)))) return false
  return (
    file !== '' &&
    file !== '.' &&
    file !== '..' &&
    !UNFIT.test(file) &&
    Buffer.byteLength(file) <= MAX_PART_BYTES
  )
}

/** Throw unless this can be given to list: `''`, or a directory that a name can be in. */
export function checkDirectory(directory: string): void {
  if (!isDirectory(directory))
    throw new Error(`not a directory of stored files: ${JSON.stringify(directory)}`)
}

export function isDirectory(directory: string): boolean {
  if (directory === '') return true
  const parts = directory.split('/')
  return parts.length <= MAX_DIRECTORIES && parts.every((part) => DIRECTORY.test(part))
}

/** The directory a name is in; `''` at the top. */
export function directoryOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

/** Throw unless temporary files can carry this owner (PutOptions). */
export function checkOwner(owner: string): void {
  if (!OWNER.test(owner)) throw new Error(`not an owner of temporary files: ${JSON.stringify(owner)}`)
}

/** The name of a temporary file of a checked owner. `random`: 16 hex digits. */
export function temporaryName(owner: string, random: string): string {
  return `tmp/${owner}-${random}`
}

/** Who wrote this temporary file; undefined where the name is not one that a backend gives. */
export function temporaryOwner(name: string): string | undefined {
  return TEMPORARY.exec(name)?.[1]
}

/** Throw unless the range is of whole, non-negative, bounded numbers. */
export function checkRange(offsetBytes: number, lengthBytes: number, maxBytes: number): void {
  const whole = Number.isSafeInteger(offsetBytes) && Number.isSafeInteger(lengthBytes)
  if (!whole || offsetBytes < 0 || lengthBytes < 0 || lengthBytes > maxBytes) {
    throw new Error(`not a range of a stored file: ${lengthBytes} bytes at ${offsetBytes}`)
  }
}
