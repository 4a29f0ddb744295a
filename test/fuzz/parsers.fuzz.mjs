// A target for fuzzing: everything that takes bytes or text apart, behind its tag and key as well as before it. Each input of
// the corpus, and what is made of it, is run by test/fuzz/corpus.test.ts.
import { createOpener, createSealer } from '../../dist/crypto/index.js'
import { decodeValue, encodeValue } from '../../dist/encoding/index.js'
import { HoldfastError } from '../../dist/errors/index.js'
import { parseExcludeFile } from '../../dist/filesystem/index.js'
import { compileGlob } from '../../dist/find/index.js'
import { parseDuration } from '../../dist/forget/index.js'
import { decodeFooter } from '../../dist/pack/footer.js'
import { openBlock } from '../../dist/pack/reader.js'
import { parseConfig } from '../../dist/repository/config.js'
import { parseIndexFile } from '../../dist/repository/index-file.js'
import { parseKeyFile } from '../../dist/repository/key-file.js'
import { parseName } from '../../dist/repository/layout.js'
import { parsePending } from '../../dist/repository/pending.js'
import { parseSettings } from '../../dist/repository/settings.js'
import { parseSnapshot, parseSnapshotArgument, parseTime } from '../../dist/snapshot/index.js'
import { nodeValue, openDirectoryPage, parseContentPage, parseNode } from '../../dist/tree/index.js'

const key = Buffer.alloc(32, 1)
const none = Buffer.alloc(0)
const NOW_MS = Date.UTC(2026, 0, 1)

/** A page of a directory, every node of it decoded and encoded again. */
function readPage(bytes) {
  const page = openDirectoryPage(Buffer.from(bytes), undefined)
  if (page.children !== undefined) return
  while (page.nodes.next()) {
    const node = page.nodes.decode()
    const again = encodeValue(nodeValue(node))
    const twice = encodeValue(nodeValue(parseNode(decodeValue(again))))
    if (!again.equals(twice)) throw new Error('a node does not encode to the same bytes twice')
    if (page.nodes.type === 'directory') page.nodes.tree()
    if (page.nodes.type === 'file') page.nodes.content()
  }
}

/** What is decoded encodes to bytes that decode to the same again. */
function readValue(bytes) {
  const again = encodeValue(decodeValue(bytes))
  if (!encodeValue(decodeValue(again)).equals(again)) throw new Error('a value changes when it is encoded')
}

/** A block that somebody with the key wrote: lengths and method as the first bytes say. */
function readBlock(bytes) {
  if (bytes.length < 9) return
  const sealer = createSealer('data', key, none)
  const payload = bytes.subarray(9)
  const sealed = sealer.seal(payload)
  const shape = {
    number: 0,
    payloadBytes: Math.min(bytes.readUInt32LE(0) % (payload.length + 1), payload.length),
    plainBytes: bytes.readUInt32LE(4) % (16 * 1024 * 1024),
    method: bytes[8] % 2,
  }
  const { plain } = openBlock(createOpener('data', sealer.header, key, none), shape, sealed)
  if (plain.length !== shape.plainBytes) throw new Error('a block opens to another length than it states')
}

const text = (bytes) => bytes.toString('latin1')
/** Each by a name, in an order that stays: the first byte of an input of the corpus chooses among them. */
export const parsers = {
  value: readValue,
  page: readPage,
  block: readBlock,
  content: (bytes) => parseContentPage(bytes.subarray(1), bytes[0] % 13),
  index: (bytes) => parseIndexFile(decodeValue(bytes)),
  snapshot: (bytes) => parseSnapshot(decodeValue(bytes)),
  config: (bytes) => parseConfig(decodeValue(bytes)),
  settings: (bytes) => parseSettings(decodeValue(bytes)),
  pending: (bytes) => parsePending(decodeValue(bytes)),
  footer: (bytes) => decodeFooter(bytes),
  key: (bytes) => parseKeyFile('0'.repeat(64), bytes),
  header: (bytes) => createOpener('snapshot', bytes, key, none),
  name: (bytes) => parseName(text(bytes)),
  argument: (bytes) => parseSnapshotArgument(text(bytes)),
  time: (bytes) => parseTime(text(bytes), NOW_MS, () => 0),
  duration: (bytes) => parseDuration(text(bytes)),
  excludes: (bytes) => parseExcludeFile(text(bytes)),
  glob: (bytes) => compileGlob(text(bytes)).test('some/path/of a file.txt'),
}
const all = Object.values(parsers)

/** @param data the first byte chooses the parser, the rest is what it gets */
export function fuzz(data) {
  if (data.length < 2) return
  try {
    all[data[0] % all.length](Buffer.from(data.subarray(1)))
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
  }
}
