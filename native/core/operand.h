#pragma once

#include <cstdint>

#include "core/plan.h"

namespace splitpoint {

// Rows of equally many bytes in a buffer. Contiguous rows are one row.
struct Range {
  uint64_t offset;
  uint64_t rowBytes;
  uint64_t rows;
  uint64_t stride;  // bytes between rows, at least rowBytes

  uint64_t bytes() const { return rowBytes * rows; }
  bool operator==(const Range&) const = default;
};

// Whether two ranges of one buffer share a byte.
bool overlap(const Range& a, const Range& b);

// Whether every byte of `inner` is in `outer`, as far as that is easily seen.
bool covers(const Range& outer, const Range& inner);

struct Operand {
  Role role;
  bool write;
  uint32_t buffer;
  Range range;
  uint32_t statedRows;  // before contiguous rows became one
};

// An operand of a plan whose columns are sound.
Operand operandAt(const Plan::Operands& operands, uint32_t index);

}  // namespace splitpoint
