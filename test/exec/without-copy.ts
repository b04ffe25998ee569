import type { DecodePlan } from '../../sim/schedule/decode.ts';

/** A decode in which a copy moves as many bytes between buffers that nobody else uses. */
export function withoutCopy(decode: DecodePlan, operation: number): DecodePlan {
  const { plan } = decode;
  const { start, rows, strideBytes, rowBytes } = plan.operands;
  const operands = {
    ...plan.operands,
    buffer: plan.operands.buffer.slice(),
    offsetBytes: plan.operands.offsetBytes.slice(),
  };
  const buffers = [...plan.buffers];
  for (let o = start[operation]; o < start[operation + 1]; o++) {
    const bytes = (rows[o] - 1) * strideBytes[o] + rowBytes[o];
    const { pool } = plan.buffers[operands.buffer[o]];
    operands.buffer[o] = buffers.push({ name: `elsewhere on the ${pool}`, pool, bytes, persistent: false }) - 1;
    operands.offsetBytes[o] = 0;
  }
  return { ...decode, plan: { ...plan, operands, buffers } };
}
