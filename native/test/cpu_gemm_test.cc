#include "cpu/gemm.h"

#include <cstdlib>
#include <string>

#include "cpu/cpu_device.h"
#include "test/check.h"
#include "test/gemm_checks.h"

namespace splitpoint {
namespace {

TEST("the library multiplies as the definition says, for all types, layouts, biases and accumulations") {
  CpuDevice device({});
  test::Random random(3);
  test::checkManyGemms(device, random, 60);
}

TEST("the built-in multiplication gives the same") {
  const char* before = std::getenv("SPLITPOINT_BLAS");
  const std::string kept = before ? before : "";
  setenv("SPLITPOINT_BLAS", "builtin", 1);
  CpuDevice device({});
  before ? setenv("SPLITPOINT_BLAS", kept.c_str(), 1) : unsetenv("SPLITPOINT_BLAS");
  CHECK(device.info().blas == "built-in");
  test::Random random(3);
  test::checkManyGemms(device, random, 60);
}

}  // namespace
}  // namespace splitpoint
