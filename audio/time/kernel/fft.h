/*
 * Complex FFTs of 1, 3 or 5 times a power of two in split form, and real FFTs whose bins lie at odd multiples of half a bin.
 * Tables of sines come from JavaScript, so that no library of mathematics is needed.
 */
#include <wasm_simd128.h>

typedef v128_t f4;
#define LOAD(p) wasm_v128_load(p)
#define STORE(p, v) wasm_v128_store(p, v)
#define ADD wasm_f32x4_add
#define SUB wasm_f32x4_sub
#define MUL wasm_f32x4_mul
#define SPLAT wasm_f32x4_splat

#define MAX_HALF 16384

/* A transform: `half` = outer * inner complex points. Tables are pairs of arrays (re, im). */
static struct {
  int half, outer, inner;
  /* inner: e^(-2 pi i k / inner), 3/4 of a turn */
  float *turnRe, *turnIm;
  /* the same for the last pass: factors 1, 2 and 3 of inner / 4 values each */
  float *lastRe, *lastIm;
  /* outer: e^(-2 pi i k s / half) for s = 1 .. outer - 1 */
  float *outerRe, *outerIm;
  /* half: e^(-2 pi i k / (2 half)) */
  float *twistRe, *twistIm;
  /* half / 2: -i e^(-2 pi i (k + 1/2) / (2 half)) */
  float *foldRe, *foldIm;
} plan;

static float workA[2 * MAX_HALF], workB[2 * MAX_HALF], spectrumTmp[2 * MAX_HALF];

/* Radix-4 butterfly of a, b, c, d. */
#define BUTTERFLY(ar, ai, br, bi, cr, ci, dr, di)                                                          \
  f4 sr0 = ADD(ar, cr), si0 = ADD(ai, ci), sr1 = SUB(ar, cr), si1 = SUB(ai, ci);                           \
  f4 tr0 = ADD(br, dr), ti0 = ADD(bi, di), tr1 = SUB(dr, br), ti1 = SUB(di, bi);

static void pass2(int stride, const float *restrict inR, const float *restrict inI, float *restrict outR, float *restrict outI) {
  for (int s = 0; s < stride; s += 4) {
    f4 ar = LOAD(inR + s), ai = LOAD(inI + s), br = LOAD(inR + s + stride), bi = LOAD(inI + s + stride);
    STORE(outR + s, ADD(ar, br));
    STORE(outI + s, ADD(ai, bi));
    STORE(outR + s + stride, SUB(ar, br));
    STORE(outI + s + stride, SUB(ai, bi));
  }
}

/* Combines four transforms of size / 4 points whose values are `stride` (at least 4) apart. */
static void pass4(int size, int stride, const float *restrict inR, const float *restrict inI, float *restrict outR, float *restrict outI) {
  int step = plan.inner / size, quarter = size / 4 * stride;
  for (int i = 0; i < size / 4; i++) {
    f4 wbr = SPLAT(plan.turnRe[i * step]), wbi = SPLAT(plan.turnIm[i * step]);
    f4 wcr = SPLAT(plan.turnRe[2 * i * step]), wci = SPLAT(plan.turnIm[2 * i * step]);
    f4 wdr = SPLAT(plan.turnRe[3 * i * step]), wdi = SPLAT(plan.turnIm[3 * i * step]);
    const float *pr = inR + 4 * i * stride, *pi = inI + 4 * i * stride;
    float *qr = outR + i * stride, *qi = outI + i * stride;
    for (int s = 0; s < stride; s += 4) {
      f4 ar = LOAD(pr + s), ai = LOAD(pi + s);
      f4 xr = LOAD(pr + s + stride), xi = LOAD(pi + s + stride);
      f4 br = SUB(MUL(xr, wbr), MUL(xi, wbi)), bi = ADD(MUL(xr, wbi), MUL(xi, wbr));
      xr = LOAD(pr + s + 2 * stride), xi = LOAD(pi + s + 2 * stride);
      f4 cr = SUB(MUL(xr, wcr), MUL(xi, wci)), ci = ADD(MUL(xr, wci), MUL(xi, wcr));
      xr = LOAD(pr + s + 3 * stride), xi = LOAD(pi + s + 3 * stride);
      f4 dr = SUB(MUL(xr, wdr), MUL(xi, wdi)), di = ADD(MUL(xr, wdi), MUL(xi, wdr));
      BUTTERFLY(ar, ai, br, bi, cr, ci, dr, di)
      STORE(qr + s, ADD(sr0, tr0));
      STORE(qi + s, ADD(si0, ti0));
      STORE(qr + s + quarter, SUB(sr1, ti1));
      STORE(qi + s + quarter, ADD(si1, tr1));
      STORE(qr + s + 2 * quarter, SUB(sr0, tr0));
      STORE(qi + s + 2 * quarter, SUB(si0, ti0));
      STORE(qr + s + 3 * quarter, ADD(sr1, ti1));
      STORE(qi + s + 3 * quarter, SUB(si1, tr1));
    }
  }
}

#define TRANSPOSE(a, b, c, d)                                                                              \
  {                                                                                                        \
    f4 ab0 = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), ab1 = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);             \
    f4 cd0 = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), cd1 = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);             \
    a = wasm_i32x4_shuffle(ab0, cd0, 0, 1, 4, 5), b = wasm_i32x4_shuffle(ab0, cd0, 2, 3, 6, 7);            \
    c = wasm_i32x4_shuffle(ab1, cd1, 0, 1, 4, 5), d = wasm_i32x4_shuffle(ab1, cd1, 2, 3, 6, 7);            \
  }

/* The last pass, whose values are next to each other: four butterflies at a time. */
static void passLast(const float *restrict inR, const float *restrict inI, float *restrict outR, float *restrict outI) {
  int quarter = plan.inner / 4;
  const float *wr = plan.lastRe, *wi = plan.lastIm;
  for (int i = 0; i < quarter; i += 4) {
    const float *pr = inR + 4 * i, *pi = inI + 4 * i;
    f4 ar = LOAD(pr), xr = LOAD(pr + 4), yr = LOAD(pr + 8), zr = LOAD(pr + 12);
    f4 ai = LOAD(pi), xi = LOAD(pi + 4), yi = LOAD(pi + 8), zi = LOAD(pi + 12);
    TRANSPOSE(ar, xr, yr, zr)
    TRANSPOSE(ai, xi, yi, zi)
    f4 wbr = LOAD(wr + i), wbi = LOAD(wi + i), wcr = LOAD(wr + quarter + i), wci = LOAD(wi + quarter + i);
    f4 wdr = LOAD(wr + 2 * quarter + i), wdi = LOAD(wi + 2 * quarter + i);
    f4 br = SUB(MUL(xr, wbr), MUL(xi, wbi)), bi = ADD(MUL(xr, wbi), MUL(xi, wbr));
    f4 cr = SUB(MUL(yr, wcr), MUL(yi, wci)), ci = ADD(MUL(yr, wci), MUL(yi, wcr));
    f4 dr = SUB(MUL(zr, wdr), MUL(zi, wdi)), di = ADD(MUL(zr, wdi), MUL(zi, wdr));
    BUTTERFLY(ar, ai, br, bi, cr, ci, dr, di)
    STORE(outR + i, ADD(sr0, tr0));
    STORE(outI + i, ADD(si0, ti0));
    STORE(outR + i + quarter, SUB(sr1, ti1));
    STORE(outI + i + quarter, ADD(si1, tr1));
    STORE(outR + i + 2 * quarter, SUB(sr0, tr0));
    STORE(outI + i + 2 * quarter, SUB(si0, ti0));
    STORE(outR + i + 3 * quarter, ADD(sr1, ti1));
    STORE(outI + i + 3 * quarter, SUB(si1, tr1));
  }
}

/* Transforms `inner` points (at least 32). Input and output must not overlap each other or `workB`. */
static void fftInner(const float *inR, const float *inI, float *outR, float *outI) {
  int n = plan.inner, passes = 0, size = 1;
  while (size * 4 <= n) size *= 4, passes++;
  int odd = size != n;
  if (odd) passes++;
  float *tR = workB, *tI = workB + MAX_HALF;
  /* The buffers take turns so that the last pass writes to the output. */
  int toOutput = passes & 1;
  const float *fromR = inR, *fromI = inI;
  size = odd ? 2 : 4;
  for (int p = 0; p < passes; p++) {
    float *toR = toOutput ? outR : tR, *toI = toOutput ? outI : tI;
    int stride = n / size;
    if (p == 0 && odd) pass2(stride, fromR, fromI, toR, toI);
    else if (stride == 1) passLast(fromR, fromI, toR, toI);
    else pass4(size, stride, fromR, fromI, toR, toI);
    fromR = toR, fromI = toI;
    toOutput = !toOutput;
    size *= 4;
  }
}

/* out = x0 + x1 + x2 with turns, over all k < inner. */
static void outer3(float *restrict re, float *restrict im) {
  int n = plan.inner;
  float *r1 = re + n, *i1 = im + n, *r2 = re + 2 * n, *i2 = im + 2 * n;
  const f4 half = SPLAT(0.5f), root = SPLAT(0.86602540378f);
  for (int k = 0; k < n; k += 4) {
    f4 ar = LOAD(re + k), ai = LOAD(im + k);
    f4 xr = LOAD(r1 + k), xi = LOAD(i1 + k), wr = LOAD(plan.outerRe + k), wi = LOAD(plan.outerIm + k);
    f4 br = SUB(MUL(xr, wr), MUL(xi, wi)), bi = ADD(MUL(xr, wi), MUL(xi, wr));
    xr = LOAD(r2 + k), xi = LOAD(i2 + k), wr = LOAD(plan.outerRe + n + k), wi = LOAD(plan.outerIm + n + k);
    f4 cr = SUB(MUL(xr, wr), MUL(xi, wi)), ci = ADD(MUL(xr, wi), MUL(xi, wr));
    f4 sr = ADD(br, cr), si = ADD(bi, ci), dr = MUL(root, SUB(br, cr)), di = MUL(root, SUB(bi, ci));
    f4 mr = SUB(ar, MUL(half, sr)), mi = SUB(ai, MUL(half, si));
    STORE(re + k, ADD(ar, sr));
    STORE(im + k, ADD(ai, si));
    STORE(r1 + k, ADD(mr, di));
    STORE(i1 + k, SUB(mi, dr));
    STORE(r2 + k, SUB(mr, di));
    STORE(i2 + k, ADD(mi, dr));
  }
}

static void outer5(float *restrict re, float *restrict im) {
  int n = plan.inner;
  const f4 c1 = SPLAT(0.30901699437f), c2 = SPLAT(-0.80901699437f);
  const f4 s1 = SPLAT(0.95105651629f), s2 = SPLAT(0.58778525229f);
  for (int k = 0; k < n; k += 4) {
    f4 xr[5], xi[5];
    xr[0] = LOAD(re + k), xi[0] = LOAD(im + k);
    for (int s = 1; s < 5; s++) {
      f4 vr = LOAD(re + s * n + k), vi = LOAD(im + s * n + k);
      f4 wr = LOAD(plan.outerRe + (s - 1) * n + k), wi = LOAD(plan.outerIm + (s - 1) * n + k);
      xr[s] = SUB(MUL(vr, wr), MUL(vi, wi)), xi[s] = ADD(MUL(vr, wi), MUL(vi, wr));
    }
    f4 ar = ADD(xr[1], xr[4]), ai = ADD(xi[1], xi[4]), br = ADD(xr[2], xr[3]), bi = ADD(xi[2], xi[3]);
    f4 cr = SUB(xr[1], xr[4]), ci = SUB(xi[1], xi[4]), dr = SUB(xr[2], xr[3]), di = SUB(xi[2], xi[3]);
    STORE(re + k, ADD(xr[0], ADD(ar, br)));
    STORE(im + k, ADD(xi[0], ADD(ai, bi)));
    f4 pr = ADD(xr[0], ADD(MUL(c1, ar), MUL(c2, br))), pi = ADD(xi[0], ADD(MUL(c1, ai), MUL(c2, bi)));
    f4 qr = ADD(MUL(s1, cr), MUL(s2, dr)), qi = ADD(MUL(s1, ci), MUL(s2, di));
    STORE(re + n + k, ADD(pr, qi));
    STORE(im + n + k, SUB(pi, qr));
    STORE(re + 4 * n + k, SUB(pr, qi));
    STORE(im + 4 * n + k, ADD(pi, qr));
    pr = ADD(xr[0], ADD(MUL(c2, ar), MUL(c1, br))), pi = ADD(xi[0], ADD(MUL(c2, ai), MUL(c1, bi)));
    qr = SUB(MUL(s2, cr), MUL(s1, dr)), qi = SUB(MUL(s2, ci), MUL(s1, di));
    STORE(re + 2 * n + k, ADD(pr, qi));
    STORE(im + 2 * n + k, SUB(pi, qr));
    STORE(re + 3 * n + k, SUB(pr, qi));
    STORE(im + 3 * n + k, ADD(pi, qr));
  }
}

/* Transforms `half` complex points. The input is overwritten if there is an outer factor. */
static void fftComplex(const float *inR, const float *inI, float *outR, float *outI) {
  int n = plan.inner, outer = plan.outer;
  if (outer == 1) return fftInner(inR, inI, outR, outI);
  float *tR = spectrumTmp, *tI = spectrumTmp + MAX_HALF;
  for (int s = 0; s < outer; s++) {
    for (int k = 0; k < n; k++) tR[s * n + k] = inR[s + outer * k], tI[s * n + k] = inI[s + outer * k];
  }
  for (int s = 0; s < outer; s++) fftInner(tR + s * n, tI + s * n, outR + s * n, outI + s * n);
  if (outer == 3) outer3(outR, outI);
  else outer5(outR, outI);
}

/* From 2 * half real values to half bins; bin k has the frequency (k + 1/2) / (2 half). */
static void fftForward(const float *restrict time, float *restrict re, float *restrict im) {
  int half = plan.half;
  float *aR = workA, *aI = workA + MAX_HALF;
  const float *restrict twR = plan.twistRe, *restrict twI = plan.twistIm;
  for (int k = 0; k < half; k += 4) {
    f4 lo = LOAD(time + 2 * k), hi = LOAD(time + 2 * k + 4);
    f4 xr = wasm_i32x4_shuffle(lo, hi, 0, 2, 4, 6), xi = wasm_i32x4_shuffle(lo, hi, 1, 3, 5, 7);
    f4 wr = LOAD(twR + k), wi = LOAD(twI + k);
    STORE(aR + k, SUB(MUL(xr, wr), MUL(xi, wi)));
    STORE(aI + k, ADD(MUL(xr, wi), MUL(xi, wr)));
  }
  fftComplex(aR, aI, re, im);
  const f4 h = SPLAT(0.5f);
  for (int k = 0; k < half / 2; k += 4) {
    int c = half - 4 - k;
    f4 r0 = LOAD(re + k), i0 = LOAD(im + k), r1 = LOAD(re + c), i1 = LOAD(im + c);
    r1 = wasm_i32x4_shuffle(r1, r1, 3, 2, 1, 0), i1 = wasm_i32x4_shuffle(i1, i1, 3, 2, 1, 0);
    f4 oddR = MUL(ADD(r0, r1), h), oddI = MUL(SUB(i0, i1), h), evenR = MUL(SUB(r0, r1), h), evenI = MUL(ADD(i0, i1), h);
    f4 wr = LOAD(plan.foldRe + k), wi = LOAD(plan.foldIm + k);
    f4 rotR = SUB(MUL(evenR, wr), MUL(evenI, wi)), rotI = ADD(MUL(evenI, wr), MUL(evenR, wi));
    STORE(re + k, ADD(oddR, rotR));
    STORE(im + k, ADD(oddI, rotI));
    f4 cr = SUB(oddR, rotR), ci = SUB(rotI, oddI);
    STORE(re + c, wasm_i32x4_shuffle(cr, cr, 3, 2, 1, 0));
    STORE(im + c, wasm_i32x4_shuffle(ci, ci, 3, 2, 1, 0));
  }
}

/* The inverse of fftForward, times half. */
static void fftInverse(const float *restrict re, const float *restrict im, float *restrict time) {
  int half = plan.half;
  float *aR = workA, *aI = workA + MAX_HALF;
  const f4 h = SPLAT(0.5f);
  for (int k = 0; k < half / 2; k += 4) {
    int c = half - 4 - k;
    f4 r0 = LOAD(re + k), i0 = LOAD(im + k), r1 = LOAD(re + c), i1 = LOAD(im + c);
    r1 = wasm_i32x4_shuffle(r1, r1, 3, 2, 1, 0), i1 = wasm_i32x4_shuffle(i1, i1, 3, 2, 1, 0);
    f4 oddR = MUL(ADD(r0, r1), h), oddI = MUL(SUB(i0, i1), h), rotR = MUL(SUB(r0, r1), h), rotI = MUL(ADD(i0, i1), h);
    f4 wr = LOAD(plan.foldRe + k), wi = LOAD(plan.foldIm + k);
    f4 evenR = ADD(MUL(rotR, wr), MUL(rotI, wi)), evenI = SUB(MUL(rotI, wr), MUL(rotR, wi));
    STORE(aR + k, ADD(oddR, evenR));
    STORE(aI + k, ADD(oddI, evenI));
    f4 cr = SUB(oddR, evenR), ci = SUB(evenI, oddI);
    STORE(aR + c, wasm_i32x4_shuffle(cr, cr, 3, 2, 1, 0));
    STORE(aI + c, wasm_i32x4_shuffle(ci, ci, 3, 2, 1, 0));
  }
  /* An inverse transform is a forward one with real and imaginary parts exchanged. */
  static float outR[MAX_HALF], outI[MAX_HALF];
  fftComplex(aI, aR, outI, outR);
  const float *restrict twR = plan.twistRe, *restrict twI = plan.twistIm;
  for (int k = 0; k < half; k += 4) {
    f4 xr = LOAD(outR + k), xi = LOAD(outI + k), wr = LOAD(twR + k), wi = LOAD(twI + k);
    f4 yr = ADD(MUL(xr, wr), MUL(xi, wi)), yi = SUB(MUL(xi, wr), MUL(xr, wi));
    STORE(time + 2 * k, wasm_i32x4_shuffle(yr, yi, 0, 4, 1, 5));
    STORE(time + 2 * k + 4, wasm_i32x4_shuffle(yr, yi, 2, 6, 3, 7));
  }
}
