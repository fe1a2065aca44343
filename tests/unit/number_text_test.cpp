// SPDX-License-Identifier: GPL-3.0-or-later
#include "request/number_text.h"

#include <gtest/gtest.h>

#include <clocale>

using namespace geometry_transfer;

TEST(NumberText, ParsesWholeFiniteNumbersInEveryLocale) {
  for (const char* locale : {"C", "de_DE.UTF-8"}) {
    std::setlocale(LC_ALL, locale);
    EXPECT_EQ(parse_number("0.5"), 0.5);
    EXPECT_EQ(parse_number(" -12"), -12);
    EXPECT_EQ(parse_number("+1e3"), 1000);
    for (const char* text : {"", " ", "0,5", "1 ", "1x", "0x10", "nan", "inf", "-inf", "1e999", "+-1", "+", "-", "1 2"})
      EXPECT_FALSE(parse_number(text)) << text;
  }
  std::setlocale(LC_ALL, "C");
}

TEST(NumberText, WritesWhatItReads) {
  for (const double value : {0.0, 0.1, -12345.678, 1e-9, 1e15}) EXPECT_EQ(parse_number(number_text(value)), value);
  EXPECT_EQ(number_text(0.25), "0.25");
  EXPECT_EQ(number_text(12345), "12345");
}
