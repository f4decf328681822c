/*
 * The kernel of time-stretching: one step makes one block of output from one place of the input.
 *
 * The method is that of Signalsmith Stretch 1.3.2 without a shift of pitch: phases are predicted from the previous block and from
 * neighbouring bins, and the channels are locked to the louder one. It is written for SIMD: real and imaginary parts have arrays of
 * their own, and what does not depend on the bin below is computed first.
 *
 * Source of the method: https://github.com/Signalsmith-Audio/signalsmith-stretch, commit 222093b4cc13ddb4d07c826bc3c1559326091731;
 * Copyright (c) 2022 Geraint Luff / Signalsmith Audio Ltd., MIT licence, see LICENSE.txt in this folder.
 */
#include "fft.h"

#define MAX_CHANNELS 2
#define MAX_BLOCK (2 * MAX_HALF)
/* Longest distance of the bins that predict each other. */
#define PAD 64
#define NOISE 1e-15f
/* From this factor on the distance between bins is random. */
#define MAX_CLEAN_STRETCH 2.0f
/* Mean power of silence: -100 dBFS. */
#define SILENT_POWER 1e-10f
#define EXPORT(name) __attribute__((export_name(#name)))

typedef float Plane[MAX_HALF + 2 * PAD];

typedef struct {
  /* Spectra of the input at this place and one interval before, with silence beyond both ends. */
  Plane inR, inI, beforeR, beforeI;
  /* Spectrum of the output: of the previous block, then predicted, then final. */
  Plane outR, outI;
  Plane energy, energyBefore;
  /* Turns from the bin below and from the one further below. */
  Plane nearR, nearI, farR, farI;
  /* Prediction from the bins above. */
  Plane aboveR, aboveI;
  /* Input and windowed output. */
  float input[2 * MAX_BLOCK], sum[2 * MAX_BLOCK];
} Channel;

static Channel channels[MAX_CHANNELS];
static Plane crossR, crossI, formant;
static float window[MAX_BLOCK], timeBuffer[2 * MAX_HALF];
/* Tables of the transforms and of the window, in the order that `configure` describes. */
static float tables[16 * MAX_HALF];
static int channelCount, block, interval, bands;
static float formantFactor;
static float pitchSum, pitchWeight;
static unsigned randomState;

EXPORT(tables) float *getTables(void) { return tables; }
EXPORT(input) float *getInput(int c) { return channels[c].input; }
EXPORT(output) float *getOutput(int c) { return channels[c].sum; }

static void clear(float *p, int n) { for (int i = 0; i < n; i++) p[i] = 0; }

/*
 * Sets the sizes and forgets all sound. `half` = outer * inner is the number of bins, `formants` moves the formants by a factor. The
 * tables must be written before: window (block values), then pairs of arrays: inner turns (3/4 inner each), last turns (3/4 inner),
 * outer turns ((outer - 1) * inner), twist (half), fold (half / 2).
 */
EXPORT(configure) void configure(int count, int blockSamples, int intervalSamples, int outer, int inner, float formants) {
  channelCount = count, block = blockSamples, interval = intervalSamples, formantFactor = formants;
  bands = outer * inner;
  plan.half = bands, plan.outer = outer, plan.inner = inner;
  float *at = tables;
  for (int i = 0; i < block; i++) window[i] = at[i];
  at += block;
  plan.turnRe = at, at += 3 * inner / 4, plan.turnIm = at, at += 3 * inner / 4;
  plan.lastRe = at, at += 3 * inner / 4, plan.lastIm = at, at += 3 * inner / 4;
  plan.outerRe = at, at += (outer - 1) * inner, plan.outerIm = at, at += (outer - 1) * inner;
  plan.twistRe = at, at += bands, plan.twistIm = at, at += bands;
  plan.foldRe = at, at += bands / 2, plan.foldIm = at;
  for (int c = 0; c < MAX_CHANNELS; c++) clear((float *)&channels[c], sizeof(Channel) / sizeof(float));
  pitchSum = pitchWeight = 0;
  randomState = 7;
}

/* Spectrum of the block of input that begins at `start`. Its middle is time 0. */
static void analyse(const float *restrict samples, float *restrict re, float *restrict im) {
  int middle = block / 2, size = 2 * bands;
  for (int i = middle; i < block; i++) timeBuffer[i - middle] = samples[i] * window[i];
  for (int i = block - middle; i < size - middle; i++) timeBuffer[i] = 0;
  /* A turn of half a bin changes the sign after one length. */
  for (int i = 0; i < middle; i++) timeBuffer[size - middle + i] = -samples[i] * window[i];
  fftForward(timeBuffer, re, im);
}

/* Adds the block of output to the sum of `channel`. */
static void synthesise(Channel *restrict channel) {
  int middle = block / 2, size = 2 * bands;
  float scale = 1.0f / bands;
  fftInverse(channel->outR + PAD, channel->outI + PAD, timeBuffer);
  float *restrict sum = channel->sum;
  for (int i = middle; i < block; i++) sum[i] += timeBuffer[i - middle] * window[i] * scale;
  for (int i = 0; i < middle; i++) sum[i] -= timeBuffer[size - middle + i] * window[i] * scale;
}

static float nextRandom(void) {
  randomState = randomState * 1664525u + 1013904223u;
  return (randomState >> 8) * (1.0f / 16777216.0f);
}

/*
 * Turns between each bin and the input `distance` bins below it, between two bins by interpolation. With a `spread` the distance is
 * random for each bin: distance - spread * [0, 1).
 */
static void turns(const Channel *restrict channel, float distance, float spread, float *restrict turnR, float *restrict turnI) {
  const float *restrict inR = channel->inR + PAD, *restrict inI = channel->inI + PAD;
  if (spread > 0) {
    for (int b = 0; b < bands; b++) {
      float at = b - distance + spread * nextRandom();
      int low = at < -PAD ? -PAD : (int)__builtin_floorf(at);
      if (low > bands + PAD - 2) low = bands + PAD - 2;
      float part = at < -PAD ? 0 : at - low;
      float r = inR[low] + (inR[low + 1] - inR[low]) * part, i = inI[low] + (inI[low + 1] - inI[low]) * part;
      turnR[b] = inR[b] * r + inI[b] * i, turnI[b] = inI[b] * r - inR[b] * i;
    }
    return;
  }
  int low = (int)__builtin_floorf(-distance);
  float part = -distance - low;
  const float *restrict lowR = inR + low, *restrict lowI = inI + low;
  for (int b = 0; b < bands; b++) {
    float r = lowR[b] + (lowR[b + 1] - lowR[b]) * part, i = lowI[b] + (lowI[b + 1] - lowI[b]) * part;
    turnR[b] = inR[b] * r + inI[b] * i, turnI[b] = inI[b] * r - inR[b] * i;
  }
}

/* Prediction from the previous block: the phase moves on as it does in the input. */
static void predict(Channel *restrict channel) {
  const float *restrict inR = channel->inR + PAD, *restrict inI = channel->inI + PAD;
  const float *restrict beforeR = channel->beforeR + PAD, *restrict beforeI = channel->beforeI + PAD;
  float *restrict outR = channel->outR + PAD, *restrict outI = channel->outI + PAD;
  const float *restrict energy = channel->energy + PAD;
  float *restrict last = channel->energyBefore + PAD;
  for (int b = 0; b < bands; b++) {
    float tr = inR[b] * beforeR[b] + inI[b] * beforeI[b], ti = inI[b] * beforeR[b] - inR[b] * beforeI[b];
    float most = last[b] > energy[b] ? last[b] : energy[b];
    float scale = 1 / (most + NOISE);
    float r = outR[b], i = outI[b];
    outR[b] = (r * tr - i * ti) * scale, outI[b] = (r * ti + i * tr) * scale;
    last[b] = energy[b];
  }
}

/* Prediction from the bins above, which have only that of the previous block. */
static void predictFromAbove(Channel *restrict channel, int reach) {
  const float *restrict outR = channel->outR + PAD, *restrict outI = channel->outI + PAD;
  const float *restrict nearR = channel->nearR + PAD, *restrict nearI = channel->nearI + PAD;
  const float *restrict farR = channel->farR + PAD, *restrict farI = channel->farI + PAD;
  float *restrict aboveR = channel->aboveR + PAD, *restrict aboveI = channel->aboveI + PAD;
  for (int b = 0; b < bands; b++) {
    int n = b + 1, f = b + reach;
    aboveR[b] = outR[n] * nearR[n] + outI[n] * nearI[n] + outR[f] * farR[f] + outI[f] * farI[f];
    aboveI[b] = outI[n] * nearR[n] - outR[n] * nearI[n] + outI[f] * farR[f] - outR[f] * farI[f];
  }
}

/* The final bin: the phase of (r, i) with the energy of the input; the phase of the input if (r, i) is too weak. */
static inline void finish(Channel *restrict channel, int b, float r, float i) {
  float norm = r * r + i * i;
  if (norm <= NOISE) {
    r = channel->inR[b], i = channel->inI[b];
    norm = r * r + i * i + NOISE;
  }
  float gain = __builtin_sqrtf(channel->energy[b] / norm);
  channel->outR[b] = r * gain, channel->outI[b] = i * gain;
}

/* The final spectra, from the lowest bin on: each bin depends on those below it. */
static void combine(int reach) {
  Channel *first = &channels[0], *second = &channels[1];
  for (int b = PAD; b < bands + PAD; b++) {
    int other = channelCount > 1 && second->energy[b] > first->energy[b];
    Channel *loud = other ? second : first;
    int n = b - 1, f = b - reach;
    float nr = loud->nearR[b], ni = loud->nearI[b], fr = loud->farR[b], fi = loud->farI[b];
    float r = loud->aboveR[b] + loud->outR[f] * fr - loud->outI[f] * fi;
    float i = loud->aboveI[b] + loud->outI[f] * fr + loud->outR[f] * fi;
    r += loud->outR[n] * nr - loud->outI[n] * ni;
    i += loud->outI[n] * nr + loud->outR[n] * ni;
    finish(loud, b, r, i);
    if (channelCount == 1) continue;
    /* cross is second * conj(first). */
    float cr = crossR[b], ci = other ? -crossI[b] : crossI[b];
    r = loud->outR[b], i = loud->outI[b];
    finish(other ? first : second, b, r * cr - i * ci, r * ci + i * cr);
  }
}

/* The lowest pitch as a bin, roughly, from the three strongest peaks. */
static float estimatePitch(void) {
  const float *metric = formant + PAD;
  int peaks[3] = {0, 0, 0};
  for (int b = 1; b < bands - 1; b++) {
    float e = metric[b];
    if (e < metric[b - 1] || e <= metric[b + 1] || e <= metric[peaks[0]]) continue;
    if (e <= metric[peaks[1]]) {
      peaks[0] = b;
    } else if (e <= metric[peaks[2]]) {
      peaks[0] = peaks[1], peaks[1] = b;
    } else {
      peaks[0] = peaks[1], peaks[1] = peaks[2], peaks[2] = b;
    }
  }
  int pitch = peaks[2];
  if (metric[peaks[1]] > metric[peaks[2]] * 0.1f) {
    int gap = pitch > peaks[1] ? pitch - peaks[1] : peaks[1] - pitch;
    if (gap > pitch / 8 && gap < pitch * 7 / 8) pitch %= gap;
    if (metric[peaks[0]] > metric[peaks[2]] * 0.01f) {
      gap = pitch > peaks[0] ? pitch - peaks[0] : peaks[0] - pitch;
      if (gap > pitch / 8 && gap < pitch * 7 / 8) pitch %= gap;
    }
  }
  float weight = metric[peaks[2]];
  pitchSum += (pitch * weight - pitchSum) * 0.25f;
  pitchWeight += (weight - pitchWeight) * 0.25f;
  return pitchSum / (pitchWeight + 1e-30f);
}

/* Moves the envelope of the amplitude of all channels by `formantFactor`. */
static void moveFormants(void) {
  float *metric = formant + PAD;
  for (int b = 0; b < bands; b++) {
    metric[b] = channels[0].energy[b + PAD] + (channelCount > 1 ? channels[1].energy[b + PAD] : 0);
  }
  metric[bands] = metric[bands + 1] = 0;
  float slew = 1 / (estimatePitch() * 0.5f + 1), e = 0;
  for (int b = 0; b < bands; b++) metric[b] = __builtin_sqrtf(metric[b]);
  for (int repeat = 0; repeat < 2; repeat++) {
    for (int b = bands - 1; b >= 0; b--) metric[b] = e += (metric[b] - e) * slew;
    for (int b = 0; b < bands; b++) metric[b] = e += (metric[b] - e) * slew;
  }
  for (int b = 0; b < bands; b++) {
    float at = (b + 0.5f) / formantFactor - 0.5f;
    float target = 0;
    if (at >= 0) {
      if (at > bands) at = bands;
      int low = (int)at;
      target = metric[low] + (metric[low + 1] - metric[low]) * (at - low);
    }
    float ratio = target / (metric[b] + 1e-30f);
    for (int c = 0; c < channelCount; c++) channels[c].energy[b + PAD] *= ratio * ratio;
  }
}

static int isSilent(void) {
  float sum = 0;
  for (int c = 0; c < channelCount; c++) {
    const float *restrict samples = channels[c].input;
    for (int i = 0; i < block + interval; i++) sum += samples[i] * samples[i];
  }
  return sum < SILENT_POWER * channelCount * (block + interval);
}

/* Makes the spectra of the output. */
static void stretchSpectra(float timeFactor) {
  int reach = (int)(2.0f * bands / interval + 0.5f);
  float factor = timeFactor > 1 / MAX_CLEAN_STRETCH ? timeFactor : 1 / MAX_CLEAN_STRETCH;
  float spread = factor > MAX_CLEAN_STRETCH ? 2 * (factor - MAX_CLEAN_STRETCH) : 0;
  for (int c = 0; c < channelCount; c++) {
    Channel *channel = &channels[c];
    for (int b = PAD; b < bands + PAD; b++) {
      channel->energy[b] = channel->inR[b] * channel->inR[b] + channel->inI[b] * channel->inI[b];
    }
  }
  if (formantFactor != 1) moveFormants();
  for (int c = 0; c < channelCount; c++) {
    Channel *channel = &channels[c];
    predict(channel);
    turns(channel, factor, spread, channel->nearR + PAD, channel->nearI + PAD);
    float far = reach * factor < PAD - 2 ? reach * factor : PAD - 2;
    turns(channel, far, reach * spread, channel->farR + PAD, channel->farI + PAD);
    predictFromAbove(channel, reach);
  }
  if (channelCount > 1) {
    Channel *restrict a = &channels[0], *restrict b = &channels[1];
    for (int k = PAD; k < bands + PAD; k++) {
      crossR[k] = b->inR[k] * a->inR[k] + b->inI[k] * a->inI[k];
      crossI[k] = b->inI[k] * a->inR[k] - b->inR[k] * a->inI[k];
    }
  }
  combine(reach);
}

/*
 * Makes one block of output. `input` holds interval + block samples of each channel, of which the last `block` are the place of the
 * input. `timeFactor` is interval / distance of this place from the previous one. With `reanalyse` the place one interval before is
 * analysed as well; else it is that of the previous step. Afterwards the first `interval` samples of `output` are complete.
 */
EXPORT(step) void step(float timeFactor, int reanalyse) {
  int silent = isSilent();
  for (int c = 0; c < channelCount; c++) {
    Channel *channel = &channels[c];
    for (int i = 0; i < block - interval; i++) channel->sum[i] = channel->sum[i + interval];
    clear(channel->sum + block - interval, interval);
    if (silent) {
      clear(channel->inR, 6 * sizeof(Plane) / sizeof(float));
      clear(channel->energyBefore, sizeof(Plane) / sizeof(float));
      continue;
    }
    if (reanalyse) {
      analyse(channel->input, channel->beforeR + PAD, channel->beforeI + PAD);
    } else {
      for (int b = PAD; b < bands + PAD; b++) channel->beforeR[b] = channel->inR[b], channel->beforeI[b] = channel->inI[b];
    }
    analyse(channel->input + interval, channel->inR + PAD, channel->inI + PAD);
  }
  if (silent) return;
  stretchSpectra(timeFactor);
  for (int c = 0; c < channelCount; c++) synthesise(&channels[c]);
}
