const WIDTH = 820
const LABEL_WIDTH = 330
const BAR_HEIGHT = 12
const GAP = 14
const HEAD = 56
const ENDS = 60

const peers = [
  { name: 'restic', css: 'restic' },
  { name: 'borg', css: 'borg' },
]

/** Readable on light and on dark ground, which it does not paint. */
const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .small { font-size: 11px }
  .restic { fill: #0969da } .borg { fill: #8250df }
  .same { stroke: #656d76; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .restic { fill: #4493f8 } .borg { fill: #ab7df8 } .same { stroke: #9198a1 }
  }`

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeText = (text) => text.replace(/[&<>"]/g, (character) => escapes[character])

/** Cases with a peer; of a case asked with two secrets the one with a password on both sides. */
function barsOf(results) {
  return results.flatMap(({ cases }) =>
    cases
      .filter(
        (one) =>
          one.secret === 'password' || !cases.some((other) => other.name === one.name && other !== one),
      )
      .map((one) => ({
        title: one.title,
        bars: peers
          .map((peer) => ({ ...peer, ratio: one.ratios[peer.name]?.wallSeconds?.median }))
          .filter(({ ratio }) => ratio !== undefined),
      }))
      .filter(({ bars }) => bars.length > 0),
  )
}

/** Bars of how many times faster Holdfast is, as an SVG image. */
export function drawChart(results) {
  const groups = barsOf(results)
  const largest = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)))
  const xOf = (ratio) => LABEL_WIDTH + (ratio / largest) * (WIDTH - LABEL_WIDTH - ENDS)
  const parts = []
  let y = HEAD
  for (const { title, bars } of groups) {
    const middle = y + (bars.length * BAR_HEIGHT) / 2 + 4
    parts.push(`<text x="${LABEL_WIDTH - 12}" y="${middle}" text-anchor="end">${escapeText(title)}</text>`)
    for (const { css, ratio } of bars) {
      const end = xOf(ratio)
      parts.push(
        `<rect class="${css}" x="${LABEL_WIDTH}" y="${y}" width="${(end - LABEL_WIDTH).toFixed(1)}" height="${BAR_HEIGHT - 2}" rx="2"/>`,
        `<text class="small" x="${(end + 5).toFixed(1)}" y="${y + 9}">${ratio.toFixed(1)} ×</text>`,
      )
      y += BAR_HEIGHT
    }
    y += GAP
  }
  const same = xOf(1).toFixed(1)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="How many times faster Holdfast is">
<style>${style}
</style>
<text x="${LABEL_WIDTH}" y="20">Times faster than</text>
${peers.map(({ name, css }, at) => `<rect class="${css}" x="${LABEL_WIDTH + 130 + at * 80}" y="11" width="10" height="10" rx="2"/><text x="${LABEL_WIDTH + 145 + at * 80}" y="20">${name}</text>`).join('\n')}
<text class="small" x="${same}" y="42" text-anchor="middle">the same</text>
<line class="same" x1="${same}" y1="46" x2="${same}" y2="${y - GAP}"/>
${parts.join('\n')}
</svg>
`
}
