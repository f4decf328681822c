/*
 * The kernel of separation: running medians of a plane over time and over frequency, and the repeating background. Four values of
 * neighbouring columns are computed at a time. Planes are rows of `columns` values, at least 4.
 */
#include <wasm_simd128.h>

typedef v128_t f4;
#define LOAD(p) wasm_v128_load(p)
#define STORE(p, v) wasm_v128_store(p, v)
#define MIN wasm_f32x4_pmin
#define MAX wasm_f32x4_pmax
#define EXPORT(name) __attribute__((export_name(#name)))
#define REACH 8
/* Frames in the median of the background: the frame itself and its neighbours. */
#define SIMILAR 9

static inline void order(f4 *a, f4 *b) {
  f4 low = MIN(*a, *b), high = MAX(*a, *b);
  *a = low, *b = high;
}

/* Moves the least of `count` values to the front and the largest to the end. */
static inline __attribute__((always_inline)) void split(f4 *v, int count) {
  int half = count / 2;
#pragma clang loop unroll(full)
  for (int i = 0; i < half; i++) order(&v[i], &v[count - 1 - i]);
#pragma clang loop unroll(full)
  for (int i = 1; i < count - half; i++) order(&v[0], &v[i]);
#pragma clang loop unroll(full)
  for (int i = half; i < count - 1; i++) order(&v[i], &v[count - 1]);
}

/*
 * The two middle values of 16, by forgetting the least and the largest of those that were seen, as soon as they cannot be in the
 * middle. `v` is overwritten.
 */
#define FORGET(count, next)                                                                                \
  split(v, count);                                                                                         \
  v[0] = next;

static inline __attribute__((always_inline)) void middleOf16(const f4 *x, f4 *low, f4 *high) {
  f4 v[10];
#pragma clang loop unroll(full)
  for (int i = 0; i < 10; i++) v[i] = x[i];
  /* The last value is forgotten because the next round is one shorter, the first because it is replaced. */
  FORGET(10, x[10])
  FORGET(9, x[11])
  FORGET(8, x[12])
  FORGET(7, x[13])
  FORGET(6, x[14])
  FORGET(5, x[15])
  split(v, 4);
  *low = MIN(v[1], v[2]), *high = MAX(v[1], v[2]);
}

/* The value in the middle of 17: `extra` limited by the two middle values of the others. */
static inline f4 limit(f4 low, f4 high, f4 extra) { return MIN(MAX(extra, low), high); }

/* Medians of each column over 17 rows, with the first and the last row repeated beyond the ends. */
EXPORT(medianOverTime) void medianOverTime(const float *plane, float *output, int rows, int columns) {
  for (int row = 0; row < rows; row += 2) {
    const float *from[18];
    for (int i = 0; i < 18; i++) {
      int at = row - REACH + i;
      from[i] = plane + (at < 0 ? 0 : at >= rows ? rows - 1 : at) * columns;
    }
    for (int start = 0; start < columns; start += 4) {
      int column = start + 4 > columns ? columns - 4 : start;
      f4 x[16], low, high;
#pragma clang loop unroll(full)
      for (int i = 0; i < 16; i++) x[i] = LOAD(from[i + 1] + column);
      middleOf16(x, &low, &high);
      STORE(output + row * columns + column, limit(low, high, LOAD(from[0] + column)));
      if (row + 1 < rows) STORE(output + (row + 1) * columns + column, limit(low, high, LOAD(from[17] + column)));
    }
  }
}

/*
 * Medians of one row over 17 columns, with the first and the last value repeated beyond the ends. `work` has room for
 * columns + 2 * 24 values.
 */
EXPORT(medianOverFrequency) void medianOverFrequency(const float *row, float *output, int columns, float *work) {
  /* Even and odd columns of the padded row, so that four pairs of neighbours are side by side. */
  int half = (columns + 48) / 2;
  float *even = work, *odd = work + half;
  for (int k = 0; k < half; k++) {
    int at = 2 * k - REACH, next = at + 1;
    even[k] = row[at < 0 ? 0 : at >= columns ? columns - 1 : at];
    odd[k] = row[next < 0 ? 0 : next >= columns ? columns - 1 : next];
  }
  for (int k = 0; 2 * k < columns; k += 4) {
    f4 x[16], low, high;
    /* x: columns 2k - 7 ... 2k + 8 */
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) x[2 * i] = LOAD(odd + k + i), x[2 * i + 1] = LOAD(even + k + i + 1);
    middleOf16(x, &low, &high);
    f4 a = limit(low, high, LOAD(even + k)), b = limit(low, high, LOAD(odd + k + 8));
    f4 first = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), second = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
    if (2 * k + 8 <= columns) {
      STORE(output + 2 * k, first), STORE(output + 2 * k + 4, second);
    } else {
      float rest[8];
      STORE(rest, first), STORE(rest + 4, second);
      for (int i = 0; 2 * k + i < columns; i++) output[2 * k + i] = rest[i];
    }
  }
}

/* Median of 9 values (the network of Smith 1996). */
static inline f4 medianOf9(f4 *p) {
  order(&p[1], &p[2]), order(&p[4], &p[5]), order(&p[7], &p[8]);
  order(&p[0], &p[1]), order(&p[3], &p[4]), order(&p[6], &p[7]);
  order(&p[1], &p[2]), order(&p[4], &p[5]), order(&p[7], &p[8]);
  order(&p[0], &p[3]), order(&p[5], &p[8]), order(&p[4], &p[7]);
  order(&p[3], &p[6]), order(&p[1], &p[4]), order(&p[2], &p[5]);
  order(&p[4], &p[7]), order(&p[4], &p[2]), order(&p[6], &p[4]);
  order(&p[4], &p[2]);
  return p[4];
}

/* The largest of `count` values (a multiple of 4); its index goes to `index`. */
static float largest(const float *values, int count, int *index) {
  f4 top = LOAD(values);
  for (int i = 4; i < count; i += 4) top = MAX(top, LOAD(values + i));
  float a = wasm_f32x4_extract_lane(top, 0), b = wasm_f32x4_extract_lane(top, 1);
  float c = wasm_f32x4_extract_lane(top, 2), d = wasm_f32x4_extract_lane(top, 3);
  a = a > b ? a : b, c = c > d ? c : d, a = a > c ? a : c;
  int i = 0;
  while (values[i] != a && i < count - 1) i++;
  *index = i;
  return a;
}

/* Marks the frames within `gap` of `at` as not similar. */
static void block(float *scores, int frames, int at, int gap) {
  int from = at - gap < 0 ? 0 : at - gap, to = at + gap + 1 > frames ? frames : at + gap + 1;
  for (int i = from; i < to; i++) scores[i] = -1;
}

/* Chooses the frame itself and those most similar to it, more than `gap` frames apart from each other. Returns their number. */
static int similarFrames(const float *bands, int width, int frames, int frame, int gap, float *scores, int *chosen) {
  const float *own = bands + frame * width;
  for (int other = 0; other < frames; other++) {
    f4 sum = wasm_f32x4_splat(0);
    for (int k = 0; k < width; k += 4) {
      sum = wasm_f32x4_add(sum, wasm_f32x4_mul(LOAD(own + k), LOAD(bands + other * width + k)));
    }
    scores[other] = (wasm_f32x4_extract_lane(sum, 0) + wasm_f32x4_extract_lane(sum, 1)) +
                    (wasm_f32x4_extract_lane(sum, 2) + wasm_f32x4_extract_lane(sum, 3));
  }
  int padded = (frames + 3) & ~3;
  for (int i = frames; i < padded; i++) scores[i] = -1;
  int count = 0;
  chosen[count++] = frame;
  block(scores, frames, frame, gap);
  while (count < SIMILAR) {
    int best;
    if (largest(scores, padded, &best) <= 0) break;
    chosen[count++] = best;
    block(scores, frames, best, gap);
  }
  return count;
}

/*
 * Writes the repeating background of `plane`: the median of each value over the frames whose `width` bands (a multiple of 4, scaled to
 * unit length) are most similar, at most the value itself. `scores` has room for frames + 4 values.
 */
EXPORT(background) void background(
  const float *plane, float *output, const float *bands, float *scores, int frames, int columns, int width, int gap
) {
  for (int frame = 0; frame < frames; frame++) {
    int chosen[SIMILAR];
    int count = similarFrames(bands, width, frames, frame, gap, scores, chosen);
    const float *own = plane + frame * columns;
    for (int start = 0; start < columns; start += 4) {
      int column = start + 4 > columns ? columns - 4 : start;
      f4 p[SIMILAR], middle;
      if (count == SIMILAR) {
        for (int i = 0; i < SIMILAR; i++) p[i] = LOAD(plane + chosen[i] * columns + column);
        middle = medianOf9(p);
      } else {
        /* Short sounds have fewer similar frames: insertion sort. */
        for (int i = 0; i < count; i++) {
          p[i] = LOAD(plane + chosen[i] * columns + column);
          for (int j = i; j > 0; j--) order(&p[j - 1], &p[j]);
        }
        middle = p[(count - 1) / 2];
      }
      STORE(output + frame * columns + column, MIN(middle, LOAD(own + column)));
    }
  }
}
