#pragma once

#include <cuda.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/mapped_words.h"

namespace splitpoint {

// Lets streams set words and wait for words: by the driver's commands, which take no multiprocessor, or by kernels
// where there are none, and in graphs, which cannot hold them everywhere.
class StreamSignals {
 public:
  // Tries out what works, with word 0 and while the stream is empty.
  StreamSignals(cudaStream_t stream, MappedWords& words);

  void signal(cudaStream_t stream, uint32_t* word, uint32_t value) const;
  // A kernel waits a minute at most and then sets `expired`.
  void await(cudaStream_t stream, uint32_t* word, uint32_t value, uint32_t* expired) const;

 private:
  decltype(&cuStreamWriteValue32) write_ = nullptr;
  decltype(&cuStreamWaitValue32) wait_ = nullptr;
};

}  // namespace splitpoint
