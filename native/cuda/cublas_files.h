#pragma once

#include <string>
#include <vector>

namespace splitpoint {

// Where cuBLAS may be: names for the loader to find first, then files of the toolkit and of Python environments. Newer
// versions first within a place.
std::vector<std::string> cublasFiles();

// The same, of the Python that the shell finds: its own word on where its packages are. It takes a moment.
std::vector<std::string> cublasFilesOfPython();

}  // namespace splitpoint
