/** One figure. */
export interface Measurement {
  /** What was measured, such as `compress`. Stable: programs may look for it. */
  readonly name: string
  /** What it was done with, such as `zstd level 3`. */
  readonly detail: string
  readonly value: number
  readonly unit: 'MiB/s' | 'ms' | 'files/s' | 's'
}

export interface BenchProgress {
  /** What is being measured now. */
  readonly name: string
}

export interface BenchOptions {
  /** An existing folder to work in; what is made there is removed. Its disk is what is measured. */
  readonly directory: string
  /** About how many bytes the made files have. */
  readonly sizeBytes: number
  readonly onProgress?: (progress: BenchProgress) => void
  readonly signal?: AbortSignal | undefined
}
