#pragma once

#include <cstdint>

// SPLITPOINT_CLONES before a function compiles it for several x86 generations; the right one is chosen when the program
// is loaded. Left out where the loader cannot choose: with other C libraries than glibc, and with sanitizers, which are
// not ready yet when it does.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SPLITPOINT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SPLITPOINT_CLONES
#endif

// For what such functions call: only what is inlined is compiled for the generation of its caller.
#define SPLITPOINT_INLINE [[gnu::always_inline]] inline

namespace splitpoint {

// Eight floats at any address.
typedef float Floats [[gnu::vector_size(32), gnu::aligned(4), gnu::may_alias]];
constexpr uint64_t kLanes = 8;

SPLITPOINT_INLINE Floats& floatsAt(float* address) { return *reinterpret_cast<Floats*>(address); }
SPLITPOINT_INLINE const Floats& floatsAt(const float* address) { return *reinterpret_cast<const Floats*>(address); }

}  // namespace splitpoint
