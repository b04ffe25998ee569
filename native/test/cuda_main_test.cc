// Before anything brings the other one.
#define SPLITPOINT_OWN_MAIN

#include <cstdio>
#include <memory>

#include "cuda/cuda_device.h"
#include "test/check.h"
#include "test/cuda_open.h"

namespace splitpoint::test {

Device& cuda() {
  static Device& device = *openCudaDevice({}).release();
  return device;
}

}  // namespace splitpoint::test

// 77 tells that nothing could be tested here.
int main(int count, char** arguments) {
  try {
    const splitpoint::DeviceInfo info = splitpoint::test::cuda().info();
    std::printf("%s, %s, %s\n", info.name.c_str(), info.driver.c_str(), info.blas.c_str());
  } catch (const splitpoint::DeviceError& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  }
  return splitpoint::test::runAll(count > 1 ? arguments[1] : "");
}
