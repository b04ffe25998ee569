#include "cuda/cublas.h"

#include <dlfcn.h>
#include <library_types.h>

#include <climits>
#include <cstdlib>
#include <filesystem>

#include "cuda/cublas_files.h"
#include "cuda/error.h"

// What is used of cublas_api.h, declared here because the library is found at run time and its headers may not be
// there. The same from CUDA 11 to 13.
namespace splitpoint {
namespace {

using Handle = void*;
using Status = int;
enum Operation { kAsIs = 0, kTransposed = 1 };
// Splitting the sum over k must not round to 16 bits in between; TF32 would need another bit.
constexpr int kDisallowReducedPrecisionReduction = 16;
constexpr int kCompute32F = 68;
constexpr int kDefaultAlgorithm = -1;
// Given explicitly, because cuBLAS would allocate within a graph otherwise; as much as it takes on Hopper by default.
constexpr size_t kWorkspaceBytes = 32 << 20;

}  // namespace

struct CublasFunctions {
  Status (*create)(Handle*);
  Status (*destroy)(Handle);
  Status (*setStream)(Handle, cudaStream_t);
  Status (*setWorkspace)(Handle, void*, size_t);
  Status (*setMathMode)(Handle, int);
  Status (*getVersion)(Handle, int*);
  const char* (*statusString)(Status);
  Status (*gemmEx)(Handle, Operation, Operation, int m, int n, int k, const void* alpha, const void* a, cudaDataType,
                   int lda, const void* b, cudaDataType, int ldb, const void* beta, void* c, cudaDataType, int ldc,
                   int compute, int algorithm);
};

namespace {

template <typename F>
bool find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function != nullptr;
}

std::string lastLoaderError() {
  const char* error = dlerror();
  return error ? error : "unknown error of the loader";
}

// Empty when it worked, otherwise what is missing.
std::string findAll(void* library, CublasFunctions& functions) {
  const bool found =
      find(library, "cublasCreate_v2", functions.create) && find(library, "cublasDestroy_v2", functions.destroy) &&
      find(library, "cublasSetStream_v2", functions.setStream) &&
      find(library, "cublasSetWorkspace_v2", functions.setWorkspace) &&
      find(library, "cublasSetMathMode", functions.setMathMode) &&
      find(library, "cublasGetVersion_v2", functions.getVersion) &&
      find(library, "cublasGetStatusString", functions.statusString) && find(library, "cublasGemmEx", functions.gemmEx);
  return found ? "" : lastLoaderError();
}

cudaDataType dataType(Type type) {
  switch (type) {
    case Type::fp16:
      return CUDA_R_16F;
    case Type::bf16:
      return CUDA_R_16BF;
    default:
      return CUDA_R_32F;
  }
}

int extent(uint64_t value, const char* name) {
  if (value == 0 || value > INT_MAX)
    throw DeviceError("cuBLAS takes extents from 1 to 2^31 - 1, found " + std::string(name) + " = " +
                      std::to_string(value));
  return int(value);
}

}  // namespace

Cublas::Cublas(cudaStream_t stream) {
  CUDA_CHECK(cudaMalloc(&workspace_, kWorkspaceBytes));
  std::string tried;
  const auto opened = [&](const std::string& file) {
    const std::string fault = open(file, stream);
    if (!fault.empty()) tried += "\n  " + file + ": " + fault;
    return fault.empty();
  };
  const auto anyOpened = [&](const std::vector<std::string>& files) {
    for (const std::string& file : files)
      if (opened(file)) return true;
    return false;
  };
  const char* named = std::getenv("SPLITPOINT_CUBLAS");
  const bool chosen = named && *named;
  if (chosen ? opened(named) : anyOpened(cublasFiles()) || anyOpened(cublasFilesOfPython())) return;
  close();
  throw DeviceError((chosen ? "the environment's SPLITPOINT_CUBLAS names no cuBLAS that works here; tried:"
                            : "no cuBLAS that works was found in the system's libraries, /usr/local/cuda* and Python's "
                              "packages; install CUDA's "
                              "cuBLAS, or `pip install nvidia-cublas-cu12`, or set SPLITPOINT_CUBLAS to the path of "
                              "libcublas.so.12 or .13; tried:") +
                    tried);
}

Cublas::~Cublas() { close(); }

std::string Cublas::open(const std::string& file, cudaStream_t stream) {
  // A library that lies in a folder of its own finds its other half only when that is there already.
  const std::filesystem::path path(file);
  if (path.has_parent_path()) {
    std::string half = path.filename().string();
    if (const size_t at = half.find("cublas.so"); at != std::string::npos) {
      half.replace(at, 6, "cublasLt");
      dlopen((path.parent_path() / half).c_str(), RTLD_NOW | RTLD_LOCAL);
    }
  }
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return lastLoaderError();
  // Never closed: CUDA libraries do not take it well.
  functions_ = std::make_unique<CublasFunctions>();
  CublasFunctions* const functions = functions_.get();
  std::string fault = findAll(library, *functions);
  if (!fault.empty()) return fault;
  int version = 0;
  Status status = functions->create(&handle_);
  if (status) handle_ = nullptr;
  if (!status) status = functions->setStream(handle_, stream);
  if (!status) status = functions->setWorkspace(handle_, workspace_, kWorkspaceBytes);
  if (!status) status = functions->setMathMode(handle_, kDisallowReducedPrecisionReduction);
  if (!status) status = functions->getVersion(handle_, &version);
  if (status) {
    fault = functions->statusString(status);
    if (handle_) functions->destroy(handle_);
    handle_ = nullptr;
    return fault;
  }
  description_ = "cuBLAS " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
                 std::to_string(version % 100);
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(functions->gemmEx), &info) && info.dli_fname)
    description_ += std::string(" (") + info.dli_fname + ")";
  return "";
}

void Cublas::close() {
  if (handle_) functions_->destroy(handle_);
  cudaFree(workspace_);
}

void Cublas::multiply(const Gemm& gemm, bool add) const {
  const int m = extent(gemm.m, "m"), n = extent(gemm.n, "n"), k = extent(gemm.k, "k");
  const float one = 1, beta = add ? 1 : 0;
  const cudaDataType type = dataType(gemm.type), outputType = gemm.fp32Output ? CUDA_R_32F : type;
  // To cuBLAS, whose matrices are column-major, ours are transposed: cᵀ (n × m) = bᵀ · aᵀ.
  const Status status = functions_->gemmEx(handle_, gemm.bTransposed ? kTransposed : kAsIs, kAsIs, n, m, k, &one,
                                           gemm.b, type, gemm.bTransposed ? k : n, gemm.a, type, k, &beta, gemm.c,
                                           outputType, n, kCompute32F, kDefaultAlgorithm);
  if (status)
    throw DeviceError("cublasGemmEx (" + std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k) +
                      ") failed: " + functions_->statusString(status));
}

}  // namespace splitpoint
