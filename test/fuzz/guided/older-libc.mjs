// The fuzzer's binary is made for glibc 2.38. All that it takes from there are new names of two functions and a call that does
// nothing: with an older glibc they come from a small library, and the binary is told that it can do without that version.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const STAND_IN = `
#include <stdlib.h>
long __isoc23_strtol(const char *text, char **end, int base) { return strtol(text, end, base); }
unsigned long __isoc23_strtoul(const char *text, char **end, int base) { return strtoul(text, end, base); }
void _ZSt21ios_base_library_initv(void) {}
`
const NEEDED = { GLIBC: '2.38', GLIBCXX: '3.4.32' }
/** Section .gnu.version_r and the flag of a version that may be missing: Linux Standard Base, "Symbol Versioning". */
const SHT_GNU_VERNEED = 0x6ffffffe
const VER_FLG_WEAK = 2

/**
 * Make the fuzzer's binary fit for the C library of this machine.
 *
 * @param modules the folder node_modules that it is in
 * @returns what the fuzzer's process needs in its environment
 */
export function fitBinary(modules) {
  const { glibcVersionRuntime } = process.report.getReport().header
  if (glibcVersionRuntime === undefined) return {}
  const [, minor] = glibcVersionRuntime.split('.')
  if (Number(minor) >= 38) return {}
  const binary = join(modules, '@jazzer.js/fuzzer/prebuilds', `fuzzer-linux-${process.arch}.node`)
  writeFileSync(binary, withWeakVersions(readFileSync(binary)))
  const library = join(modules, 'older-libc.so')
  execFileSync('cc', ['-shared', '-fPIC', '-x', 'c', '-o', library, '-'], { input: STAND_IN })
  return { LD_PRELOAD: library }
}

/** The same 64-bit ELF file, where the versions of NEEDED may be missing. */
function withWeakVersions(elf) {
  const sectionAt = (index) => Number(elf.readBigUInt64LE(0x28)) + index * elf.readUInt16LE(0x3a)
  const sections = Array.from({ length: elf.readUInt16LE(0x3c) }, (_, index) => ({
    type: elf.readUInt32LE(sectionAt(index) + 4),
    offset: Number(elf.readBigUInt64LE(sectionAt(index) + 24)),
    link: elf.readUInt32LE(sectionAt(index) + 40),
  }))
  const needs = sections.find(({ type }) => type === SHT_GNU_VERNEED)
  const names = sections[needs.link].offset
  const weak = Object.entries(NEEDED).map(([prefix, version]) => `${prefix}_${version}`)
  for (let file = needs.offset, next = 1; next !== 0; file += next) {
    next = elf.readUInt32LE(file + 12)
    let version = file + elf.readUInt32LE(file + 8)
    for (let left = elf.readUInt16LE(file + 2); left > 0; left--) {
      const name = names + elf.readUInt32LE(version + 8)
      const flags = elf.readUInt16LE(version + 4)
      if (weak.includes(elf.toString('latin1', name, elf.indexOf(0, name))))
        elf.writeUInt16LE(flags | VER_FLG_WEAK, version + 4)
      version += elf.readUInt32LE(version + 12)
    }
  }
  return elf
}
