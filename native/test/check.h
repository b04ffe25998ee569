#pragma once

#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

// Tests of the native core: files named *_test.cc that may be linked together or alone.
//
//   TEST("a sentence that states behaviour") { CHECK(1 + 1 == 2); }
//
// The program runs all tests, or those whose sentence contains its first argument, and returns 1 where one fails or
// none was found.

namespace splitpoint::test {

struct Case {
  const char* sentence;
  void (*body)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

inline bool registered(const char* sentence, void (*body)()) {
  cases().push_back({sentence, body});
  return true;
}

struct Failure : std::exception {
  explicit Failure(std::string text) : text(std::move(text)) {}
  const char* what() const noexcept override { return text.c_str(); }
  std::string text;
};

[[noreturn]] inline void fail(const char* file, int line, const std::string& what) {
  throw Failure(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

inline void checkClose(double found, double expected, double tolerance, const char* what, const char* file, int line) {
  // Written so that NaN fails.
  if (found == expected || std::abs(found - expected) <= tolerance) return;
  std::ostringstream text;
  text.precision(17);
  text << what << " is " << found << ", expected " << expected << " within " << tolerance;
  fail(file, line, text.str());
}

inline int runAll(const char* filter) {
  int run = 0, failed = 0;
  for (const Case& test : cases()) {
    if (!std::strstr(test.sentence, filter)) continue;
    ++run;
    std::string fault;
    try {
      test.body();
    } catch (const std::exception& error) {
      fault = error.what();
    } catch (...) {
      fault = "threw something that is no exception";
    }
    std::printf("%s %s\n", fault.empty() ? "ok  " : "FAIL", test.sentence);
    if (!fault.empty()) std::printf("     %s\n", fault.c_str()), ++failed;
    std::fflush(stdout);
  }
  std::printf("%d tests, %d failed\n", run, failed);
  return failed || !run;
}

}  // namespace splitpoint::test

#define SPLITPOINT_JOIN_(a, b) a##b
#define SPLITPOINT_JOIN(a, b) SPLITPOINT_JOIN_(a, b)
#define SPLITPOINT_TEST(sentence, name)                                                                            \
  static void name();                                                                                              \
  [[maybe_unused]] static const bool SPLITPOINT_JOIN(name, _known) = splitpoint::test::registered(sentence, name); \
  static void name()

#define TEST(sentence) SPLITPOINT_TEST(sentence, SPLITPOINT_JOIN(test_, __COUNTER__))
#define CHECK(...) \
  (static_cast<bool>(__VA_ARGS__) ? void() : splitpoint::test::fail(__FILE__, __LINE__, "not so: " #__VA_ARGS__))
#define CHECK_CLOSE(found, expected, tolerance) \
  splitpoint::test::checkClose(found, expected, tolerance, #found, __FILE__, __LINE__)
#define CHECK_THROWS(type, ...)                                                                         \
  do {                                                                                                  \
    bool thrown = false;                                                                                \
    try {                                                                                               \
      __VA_ARGS__;                                                                                      \
    } catch (const type&) {                                                                             \
      thrown = true;                                                                                    \
    }                                                                                                   \
    if (!thrown) splitpoint::test::fail(__FILE__, __LINE__, "does not throw " #type ": " #__VA_ARGS__); \
  } while (false)

// Weak, because every test file of a program brings it; one that defines SPLITPOINT_OWN_MAIN has a main of its own.
#ifndef SPLITPOINT_OWN_MAIN
[[gnu::weak]] int main(int count, char** arguments) { return splitpoint::test::runAll(count > 1 ? arguments[1] : ""); }
#endif
