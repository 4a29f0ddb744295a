import type { Context } from './context.ts'

const DEFAULT_PER_SECOND = 10
const MOST_PER_SECOND = 60

export interface Progress {
  /** Show a state: `text` for people on one line, `status` as JSON. Both are made only when they are shown. */
  update(state: { text: () => string; status: () => object }): void
  /** Take the display away; safe to call twice. */
  end(): void
}

/**
 * A calm display of where a command stands: one line on a terminal, or objects with --json; nothing with -q, with
 * --no-progress, and where stderr is no terminal. HOLDFAST_PROGRESS_FPS sets how often, and asks for it
 * where there is no terminal (as lines, then).
 */
export function createProgress(context: Context, stderr: NodeJS.WriteStream = process.stderr): Progress {
  const { output } = context
  const perSecond = Number(context.environment.HOLDFAST_PROGRESS_FPS)
  const isAsked = Number.isFinite(perSecond) && perSecond > 0
  const isShown = output.isProgressWanted && (output.isJson || stderr.isTTY || isAsked)
  const intervalMs = 1000 / Math.min(isAsked ? perSecond : DEFAULT_PER_SECOND, MOST_PER_SECOND)
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    update({ text, status }) {
      if (!isShown) return
      const nowMs = performance.now()
      if (nowMs - lastMs < intervalMs) return
      lastMs = nowMs
      if (output.isJson) void output.json(status())
      else if (stderr.isTTY) output.live(text())
      else output.note(text())
    },
    end: () => output.live(undefined),
  }
}
