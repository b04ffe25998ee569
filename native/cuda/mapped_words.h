#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "cuda/error.h"

namespace splitpoint {

// Whether a word that counts upwards and wraps has come to a value.
inline bool hasReached(uint32_t word, uint32_t value) { return int32_t(word - value) >= 0; }

// Words in pinned host memory, 0 at first, through which host and device tell each other how far they are.
class MappedWords {
 public:
  explicit MappedWords(size_t count) : count_(count) {
    CUDA_CHECK(cudaHostAlloc(&words_, count * sizeof(uint32_t), cudaHostAllocPortable | cudaHostAllocMapped));
    for (size_t i = 0; i < count; ++i) words_[i] = 0;
  }
  ~MappedWords() { cudaFreeHost(words_); }
  MappedWords(const MappedWords&) = delete;
  MappedWords& operator=(const MappedWords&) = delete;

  size_t count() const { return count_; }
  uint32_t load(size_t i) const { return std::atomic_ref(words_[i]).load(std::memory_order_acquire); }
  void store(size_t i, uint32_t value) { std::atomic_ref(words_[i]).store(value, std::memory_order_release); }
  // As the device knows it: with unified addressing, the same as on the host.
  uint32_t* onDevice(size_t i) const { return words_ + i; }

 private:
  size_t count_;
  uint32_t* words_;
};

}  // namespace splitpoint
