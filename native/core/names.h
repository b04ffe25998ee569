#pragma once

#include <cstddef>

#include "core/plan.h"

// The names that sim/plan/plan.ts uses.

namespace splitpoint {

inline const char* nameOf(Stream stream) {
  constexpr const char* names[kStreams] = {"h2d", "d2h", "compute", "host"};
  return names[stream];
}

inline const char* nameOf(Kind kind) {
  constexpr const char* names[kKinds] = {"copy-h2d", "copy-d2h",    "gemm",  "norm",   "rope",  "activation",
                                         "attend",   "host-attend", "merge", "append", "embed", "step-end"};
  return names[size_t(kind)];
}

inline const char* nameOf(Role role) {
  constexpr const char* names[kRoles] = {"input", "output", "update", "weight",   "weightTransposed",
                                         "bias",  "query",  "cache",  "logSumExp"};
  return names[size_t(role)];
}

inline const char* nameOf(Pool pool) {
  constexpr const char* names[kPools] = {"gpu", "pinned", "host"};
  return names[size_t(pool)];
}

}  // namespace splitpoint
