#include "core/operand.h"

#include <algorithm>

namespace splitpoint {

namespace {

// Whether one of the rows at offset + i · stride, i < rows, begins in (from, to).
bool rowBeginsWithin(const Range& range, int64_t from, int64_t to) {
  int64_t offset = int64_t(range.offset), stride = int64_t(std::max<uint64_t>(range.stride, 1));
  int64_t first = from < offset ? 0 : (from - offset) / stride + 1;
  return first < int64_t(range.rows) && offset + first * stride < to;
}

}  // namespace

bool overlap(const Range& a, const Range& b) {
  const Range& few = a.rows <= b.rows ? a : b;
  const Range& many = a.rows <= b.rows ? b : a;
  if (few.stride == many.stride && few.rows > 1) {
    // Rows i and j overlap where i − j is one of a few consecutive numbers.
    int64_t stride = int64_t(few.stride), distance = int64_t(many.offset) - int64_t(few.offset);
    Range differences{0, 0, few.rows + many.rows - 1, few.stride};
    int64_t shift = (int64_t(many.rows) - 1) * stride;
    return rowBeginsWithin(differences, distance - int64_t(few.rowBytes) + shift,
                           distance + int64_t(many.rowBytes) + shift);
  }
  for (uint64_t i = 0; i < few.rows; ++i) {
    int64_t begin = int64_t(few.offset + i * few.stride);
    if (rowBeginsWithin(many, begin - int64_t(many.rowBytes), begin + int64_t(few.rowBytes))) return true;
  }
  return false;
}

bool covers(const Range& outer, const Range& inner) {
  if (outer.offset > inner.offset) return false;
  if (outer.rows == 1) {
    return inner.offset + (inner.rows - 1) * inner.stride + inner.rowBytes <= outer.offset + outer.rowBytes;
  }
  return outer.rows >= inner.rows && (outer.stride == inner.stride || inner.rows == 1) &&
         inner.offset + inner.rowBytes <= outer.offset + outer.rowBytes;
}

Operand operandAt(const Plan::Operands& operands, uint32_t index) {
  Range range{uint64_t(operands.offsetBytes[index]), uint64_t(operands.rowBytes[index]), operands.rows[index],
              uint64_t(operands.strideBytes[index])};
  if (range.rows > 1 && range.stride == range.rowBytes) range = {range.offset, range.bytes(), 1, range.bytes()};
  if (range.rows == 1) range.stride = range.rowBytes;
  return {Role(operands.role[index]), operands.write[index] != 0, operands.buffer[index], range, operands.rows[index]};
}

}  // namespace splitpoint
