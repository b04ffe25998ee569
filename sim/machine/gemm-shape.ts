/** Rows and columns of the output tile that one multiprocessor computes (the common cuBLAS and CUTLASS choice for 16-bit GEMMs). */
const TILE = 128;
/** Granularity of small row counts: the tensor cores' own tile. */
const FRAGMENT = 16;
/** Inner length below which splitting along k no longer helps. */
const SPLIT_K = 512;

/**
 * Share of its peak that a GEMM of batch × (m × n × k) reaches because of its shape alone, in (0, 1]: padding to whole tiles, and a last
 * wave that leaves multiprocessors idle (a wave is one tile on each; small outputs are split along k to fill one).
 * Time never falls when m grows. Model: LLMCompass (ISCA'24) and NVIDIA's matrix multiplication guide, simplified; an assumption until
 * a profile replaces it.
 *
 * @param multiprocessors of the GPU; 0 leaves out the wave effect
 */
export function gemmShapeEfficiency(m: number, n: number, k: number, batch: number, multiprocessors: number): number {
  const tileRows = m >= TILE ? TILE : FRAGMENT * Math.ceil(m / FRAGMENT);
  const rowTiles = Math.ceil(m / tileRows);
  const columnTiles = Math.ceil(n / TILE);
  const padding = (m * n) / (rowTiles * tileRows * columnTiles * TILE);
  if (multiprocessors === 0) return padding;
  const tiles = rowTiles * columnTiles * batch;
  const waves = tiles / multiprocessors;
  if (waves >= 1) return (padding * waves) / Math.ceil(waves);
  const slices = Math.min(Math.floor(multiprocessors / tiles), Math.max(1, Math.floor(k / SPLIT_K)));
  return padding * waves * slices;
}
