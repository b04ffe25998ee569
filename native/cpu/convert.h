#pragma once

#include <cstddef>
#include <cstdint>

#include "core/plan.h"

namespace splitpoint {

// Numbers of any type to fp32 and back, rounded to the nearest, ties to even; too large ones become infinite. NaN stays
// NaN.
void widen(Type type, const void* from, float* to, size_t count);
void narrow(Type type, const float* from, void* to, size_t count);

// The numbers as fp32: where they are, or widened into the buffer.
inline const float* asFloats(Type type, const void* from, float* buffer, size_t count) {
  if (type == Type::fp32) return static_cast<const float*>(from);
  widen(type, from, buffer, count);
  return buffer;
}

// What `widen` and `narrow` do on processors without instructions for fp16.
void widenHalfPortably(const uint16_t* from, float* to, size_t count);
void narrowHalfPortably(const float* from, uint16_t* to, size_t count);

}  // namespace splitpoint
