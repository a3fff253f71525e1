/* SPDX-License-Identifier: MPL-2.0 */
/* special_tables - polynomials of the special functions, lowest power first.
 *
 * Each interpolates its function at the Chebyshev points of the range named, computed in 60 digits and
 * rounded; it differs from the function by at most 3e-16 relative (most by less than 1e-16). */
#ifndef SPECIAL_TABLES_H
#define SPECIAL_TABLES_H

/* exp(x^2) erfc(x) (x + 4) in t = (x - 4) / (x + 4), 0 <= x <= 28 */
static const double erfcx_4[] = {
    0x1.18932bf08e154p+0,   -0x1.f3fe31ecb49bfp-1,  0x1.8be202d26c74fp-1,   -0x1.14eacb1ad0321p-1,
    0x1.52cac2370e2dep-2,   -0x1.645fd8a4be66fp-3,  0x1.38dbd2c980e0cp-4,   -0x1.b00c052a35502p-6,
    0x1.908f46bb15c1fp-8,   -0x1.269b5895f1c00p-12, -0x1.dd281d2bb9a0fp-12, 0x1.72ce035d9c7cap-13,
    -0x1.e833041dc3d68p-19, -0x1.3c7ae654d277ep-16, 0x1.3b5cb52fcf7bep-18,  0x1.803e3fd4b9a47p-20,
    -0x1.c98952bcd3249p-21, -0x1.7443ce2813566p-24, 0x1.118ede3a3284dp-23,  0x1.61c811f5a5533p-27,
    -0x1.000c573bd01c7p-26, -0x1.bb889b00479f0p-29,
};

/* exp(x^2 / 2) P(X > x) (x + 6) for the normal law in t = (x - 6) / (x + 6), 0 <= x <= 39 */
static const double tail_6[] = {
    0x1.8e010d2b8a0eap-1,   -0x1.66eaa7d09640ep-1, 0x1.234fe3fd925b9p-1,  -0x1.a7d6577269c81p-2,
    0x1.1267d7383dcd3p-2,   -0x1.38b069dbb2db8p-3, 0x1.33e77775f4d04p-4,  -0x1.fba9d5311e352p-6,
    0x1.48a83bd5af758p-7,   -0x1.1764cd350d0ebp-9, 0x1.13bbbef317427p-15, 0x1.7c571540d1637p-13,
    -0x1.0f96d6abe9f9ap-14, 0x1.20d4980937d6cp-20, 0x1.c8196cb96af73p-18, -0x1.e35e346b8f455p-20,
    -0x1.ce099d843ac98p-22, 0x1.4eded8a4dc475p-22, 0x1.44e574144b066p-27, -0x1.7cecd9e22bcc4p-25,
    -0x1.27ac18a5af4f3p-33, 0x1.67ed7a44629dap-28, 0x1.e8026d8ae65a0p-31,
};

/* erf(x) / x in x^2, x^2 <= 0.8 */
static const double erf_0[] = {
    0x1.20dd750429b6dp+0,  -0x1.812746b0379e3p-2,  0x1.ce2f21a04288fp-4,  -0x1.b82ce3127546ap-6,
    0x1.565bcd0abeb61p-8,  -0x1.c02db32e91a5ap-11, 0x1.f9a3094361e8ep-14, -0x1.f4cf95029fd29p-17,
    0x1.b9ba40c1de930p-20, -0x1.5d99775a83febp-23, 0x1.e35d65bb54d07p-27, -0x1.d5145b084537bp-31,
};

/* gamma(2 + y) in y, |y| <= 0.5 */
static const double gamma_2[] = {
    0x1.0000000000000p+0,  0x1.b0ee6072093cep-2,   0x1.a5b978b96bed0p-2,  0x1.4e2399846508ap-4,
    0x1.301fbb0f23723p-4,  -0x1.17f3740ec72a0p-12, 0x1.6d7eeacd72a91p-7,  -0x1.75e6e90ba3cefp-9,
    0x1.13c4485aa4efbp-9,  -0x1.e21f19a7b3331p-11, 0x1.011b279719403p-11, -0x1.f94b1c3d6053ep-13,
    0x1.fe3e7148c5ff1p-14, -0x1.fddfed1c8199bp-15, 0x1.007e03354bf19p-15, -0x1.00a11030605acp-16,
    0x1.e4493add6e9e0p-18, -0x1.e472c38c79d24p-19, 0x1.60719ffb53cb2p-19, -0x1.607cdc66fc45bp-20,
};

/* log gamma(1 + y) / y in y, -0.25 <= y <= 0.75 */
static const double lgamma_1[] = {
    -0x1.2788cfc6fb619p-1, 0x1.a51a6625307d3p-1,  -0x1.9a4d55beab2d4p-2, 0x1.151322ac7d8a2p-2,
    -0x1.a8b9c17aa69e6p-3, 0x1.5b40cb10059b1p-3,  -0x1.2703a1dc9b780p-3, 0x1.010b36b0edc74p-3,
    -0x1.c8067099e6a9cp-4, 0x1.9a01e36fbca0ap-4,  -0x1.748c2c7ae705bp-4, 0x1.556ac833f9a10p-4,
    -0x1.3b1e0f2c0a93ep-4, 0x1.24991f2500deep-4,  -0x1.11118455a29c6p-4, 0x1.ffbdfcfdea518p-5,
    -0x1.e1570dfe6e7acp-5, 0x1.c81e66eb910afp-5,  -0x1.b5fe6b9819dc6p-5, 0x1.a5584bfa4a3acp-5,
    -0x1.81293f2f6aeaap-5, 0x1.32c3801fd9549p-5,  -0x1.8330dddc7e2a6p-6, 0x1.5eb2394f6f5fcp-7,
    -0x1.8e36c4a8fdffep-9, 0x1.a62e0271fdf82p-12,
};

/* log gamma(2 + y) / y in y, -0.5 <= y <= 1 */
static const double lgamma_2[] = {
    0x1.b0ee6072093cep-2,   0x1.4a34cc4a60fa6p-2,  -0x1.13e001a5575fdp-4,  0x1.51322ac7d87d7p-6,
    -0x1.e404fc219310ep-8,  0x1.7add6ead6e2f2p-9,  -0x1.38ac5c29a5e4bp-10, 0x1.0b36af9ac4c20p-11,
    -0x1.d3fd4deee3f66p-13, 0x1.a127abf1a07a3p-14, -0x1.78de1b10391f5p-15, 0x1.580de5056dfc0p-16,
    -0x1.3cc2b2cb64d9ep-17, 0x1.25a2096292673p-18, -0x1.116ae50b2c13bp-19, 0x1.feab843b817d5p-21,
    -0x1.e3a27fc880d0ap-22, 0x1.daa516a1337e9p-23, -0x1.cf31e04c8a545p-24, 0x1.7ec8d45bd1d10p-25,
    -0x1.a9df52df1ce4bp-27, 0x1.c03347a0459cap-30,
};

/* x times what Stirling's formula for log gamma(x) leaves over, in 1 / x^2, x >= 8 */
static const double stirling[] = {
    0x1.5555555555555p-4,  -0x1.6c16c16c149f4p-9,  0x1.a01a017dcf9e1p-11, -0x1.38134d4f8896fp-11,
    0x1.b92c33f9445e5p-11, -0x1.ef8d748aeb0f2p-10, 0x1.4bffc9d8b455bp-8,
};

/* (log((1 + s) / (1 - s)) - 2 s) / s^3 in s^2, s <= 0.1716 */
static const double log_rest[] = {
    0x1.5555555555555p-1, 0x1.9999999999a38p-2, 0x1.2492492476ba1p-2, 0x1.c71c72017a15cp-3,
    0x1.745cf8f6c9119p-3, 0x1.3b1c38474d3eep-3, 0x1.0fbe478772696p-3, 0x1.0c06cf14c641bp-3,
};

#endif
