/** When each operation of a plan ran, whether predicted or measured. */
export interface Timeline {
  /** Start of each operation, its fixed latency included, seconds from the start of the plan. */
  startSeconds: Float64Array;
  endSeconds: Float64Array;
  /** End of the last operation. */
  makespanSeconds: number;
}
