#include "cpu/blas.h"

#include <dlfcn.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "core/device.h"

namespace splitpoint {
namespace {

// Of CBLAS.
constexpr int kRowMajor = 101, kNotTransposed = 111, kTransposed = 112;

// The first part that looks like a version of "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH Zen MAX_THREADS=64", and the
// core's name.
std::string versionOf(void* library) {
  auto config = reinterpret_cast<const char* (*)()>(dlsym(library, "openblas_get_config"));
  if (!config) return "";
  std::string text = config();
  text = text.substr(0, text.find(' ', text.find(' ') + 1));
  auto core = reinterpret_cast<const char* (*)()>(dlsym(library, "openblas_get_corename"));
  return core ? text + " " + core() : text;
}

}  // namespace

Blas::Blas() {
  if (const char* wish = std::getenv("SPLITPOINT_BLAS"); wish && *wish) {
    if (std::string(wish) == "builtin") return;
    const std::string fault = load(wish);
    if (!fault.empty()) throw DeviceError("SPLITPOINT_BLAS names a library that cannot be used: " + fault);
    return;
  }
#ifdef SPLITPOINT_BLAS_PATH
  if (load(SPLITPOINT_BLAS_PATH).empty()) return;
#endif
  load("libopenblas.so.0");
}

std::string Blas::load(const char* path) {
  // Never closed: OpenBLAS has threads of its own.
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  auto sgemm = reinterpret_cast<CblasSgemm>(dlsym(library, "cblas_sgemm"));
  if (!sgemm) return std::string(path) + " has no cblas_sgemm";
  // A stream is one thread.
  if (auto setThreads = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"))) setThreads(1);
  sgemm_ = sgemm;
  const std::string version = versionOf(library);
  name_ = version.empty() ? path : version + " (" + path + ")";
  return "";
}

void Blas::multiply(const Sgemm& s) const {
  if (!sgemm_) return multiplyBuiltIn(s);
  if (std::max({s.m, s.n, s.k, s.aStride, s.bStride, s.cStride}) > INT_MAX)
    throw DeviceError("a matrix has more than 2147483647 rows or columns, which the BLAS cannot take");
  sgemm_(kRowMajor, kNotTransposed, s.bTransposed ? kTransposed : kNotTransposed, int(s.m), int(s.n), int(s.k), 1.0f,
         s.a, int(s.aStride), s.b, int(s.bStride), s.beta, s.c, int(s.cStride));
}

}  // namespace splitpoint
