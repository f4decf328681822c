/**
 * A scoring service in thirty lines: it prefers songs of similar tempo. The worker calls it in place of the built-in one:
 *
 *   PORT=9002 npx node examples/custom-scoring-service.ts
 *   SCORING_API_URL=http://127.0.0.1:9002 npm start
 */
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

interface Analysis {
  rhythmic: { bpm: number };
}

const server = createServer(async (request, response) => {
  response.setHeader('content-type', 'application/json');
  if (request.url === '/health') return response.end('{"status":"ok"}');
  const body = (await json(request)) as { song1_analysis: Analysis; song2_analysis: Analysis };
  const [one, two] = [body.song1_analysis.rhythmic.bpm, body.song2_analysis.rhythmic.bpm];
  const rhythmic = 100 - 100 * Math.abs(Math.log2(one / two));
  const scores = { harmonic: 50, rhythmic: Math.max(0, rhythmic), spectral: 50, vocal: 50 };
  response.end(
    JSON.stringify({
      overall_score: scores.rhythmic,
      dimension_scores: scores,
      recommendations: [`${one.toFixed(0)} and ${two.toFixed(0)} BPM`],
    }),
  );
});
server.listen(Number(process.env['PORT'] ?? 9002), '127.0.0.1', () =>
  console.log(`listening on ${JSON.stringify(server.address())}`),
);
