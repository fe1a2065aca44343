// SPDX-License-Identifier: GPL-3.0-or-later
/// The headers that nearly every file on libtorch includes, compiled once for each library. ATen alone takes two thirds
/// of such a file's time to compile. No file relies on this header: each includes what it uses.
#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>
