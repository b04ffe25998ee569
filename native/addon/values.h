#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

// Values from JavaScript, which may be anything. All throw a TypeError that names the value by `path`, for instance
// "plan.count".

namespace splitpoint::addon {

Napi::Object objectAt(Napi::Object from, const char* name, const std::string& path);
std::string stringAt(Napi::Object from, const char* name, const std::string& path);
double numberAt(Napi::Object from, const char* name, const std::string& path);
bool booleanAt(Napi::Object from, const char* name, const std::string& path);
// A whole number from 0 on, at most `most`.
uint64_t wholeAt(Napi::Object from, const char* name, const std::string& path, uint64_t most = uint64_t(1) << 53);

Napi::Object asObject(Napi::Value value, const std::string& path);
uint64_t asWhole(Napi::Value value, const std::string& path, uint64_t most = uint64_t(1) << 53);
bool isNothing(Napi::Value value);

[[noreturn]] void throwExpected(Napi::Value found, const std::string& path, const std::string& expected);

// Bytes that JavaScript owns. Throws a RangeError, rather than end the process, where there is no memory for so many.
Napi::Uint8Array newBytes(Napi::Env env, uint64_t count);

}  // namespace splitpoint::addon
