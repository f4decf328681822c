/** OpenAPI descriptions of the edge functions and of the audio services, from their zod schemas. */
import { z } from 'zod';
import * as api from '../../schema/api.ts';
import { PlanEdit } from '../../schema/edits.ts';
import * as music from '../../schema/music.ts';
import * as services from '../../schema/services.ts';

interface Operation {
  path: string;
  summary: string;
  request?: string;
  response: string;
  /** Media type of the response; default `application/json`. */
  media?: string;
  /** Reads a public link, whose token is in the query, without an account. */
  ofLink?: { status: 200 | 302; description: string };
}

interface Description {
  title: string;
  description: string;
  servers: { url: string; description: string }[];
  operations: Operation[];
  schemas: Record<string, z.ZodType>;
  error: { name: string; description: string };
  security?: boolean;
}

const FUNCTIONS: Description = {
  title: 'Edge functions of mashup-engine',
  description:
    'The functions of public links (shared-*) accept GET and HEAD without an account. Every other function accepts POST with a JSON body and the access token of a signed-in user.',
  servers: [{ url: 'http://127.0.0.1:54321/functions/v1', description: 'the local stack' }],
  operations: [
    {
      path: '/generate-mashup',
      summary: 'Submits two or three uploaded songs, or with `hold: "planning"` a draft.',
      request: 'GenerateMashupRequest',
      response: 'GenerateMashupAnswer',
    },
    {
      path: '/get-mashup-status',
      summary: 'Returns the status of a job.',
      request: 'StatusRequest',
      response: 'StatusAnswer',
    },
    {
      path: '/create-signed-upload',
      summary: 'Returns a signed URL for the upload of a song.',
      request: 'SignedUploadRequest',
      response: 'SignedUploadAnswer',
    },
    {
      path: '/renew-upload',
      summary: 'Returns a new token for the upload URL of a running task. The claim of the task is the credential.',
      request: 'RenewUploadRequest',
      response: 'RenewUploadAnswer',
    },
    {
      path: '/claude-mashup-iteration',
      summary:
        'Submits a new job that changes an earlier mashup by feedback. 422 `wish_not_understood` and `wish_changes_nothing` say why there is none.',
      request: 'IterationRequest',
      response: 'IterationAnswer',
    },
    {
      path: '/edit-mashup',
      summary:
        'Submits a new job that edits the plan of an earlier mashup. 422 `edit_not_possible` says which edit and why.',
      request: 'EditRequest',
      response: 'EditAnswer',
    },
    {
      path: '/stem-separation',
      summary: 'Returns the paths of the cached stems of a song of a job.',
      request: 'StemRequest',
      response: 'StemAnswer',
    },
    {
      path: '/delete-account',
      summary: 'Deletes the account of the caller with all mashups and files.',
      request: 'DeleteAccountRequest',
      response: 'DeleteAccountAnswer',
    },
    {
      path: '/shared-mashup',
      summary: 'Returns what the public reads of a mashup that is shared by a link.',
      response: 'SharedMashup',
      ofLink: { status: 200, description: 'Done' },
    },
    {
      path: '/shared-cover',
      summary: 'Returns the cover of a shared mashup, 1200 by 630 pixels.',
      response: 'SharedCoverPicture',
      media: 'image/png',
      ofLink: { status: 200, description: 'Done' },
    },
    {
      path: '/shared-audio',
      summary: 'Leads to the file of a shared mashup.',
      response: 'ErrorBody',
      ofLink: { status: 302, description: 'Header Location: a link to the file in Storage, valid for 60 seconds.' },
    },
  ],
  schemas: {
    GenerateMashupRequest: api.GenerateMashupRequest,
    GenerateMashupAnswer: api.GenerateMashupAnswer,
    StatusRequest: api.StatusRequest,
    StatusAnswer: api.StatusAnswer,
    SignedUploadRequest: api.SignedUploadRequest,
    SignedUploadAnswer: api.SignedUploadAnswer,
    RenewUploadRequest: api.RenewUploadRequest,
    RenewUploadAnswer: api.RenewUploadAnswer,
    IterationRequest: api.IterationRequest,
    IterationAnswer: api.IterationAnswer,
    EditRequest: api.EditRequest,
    EditAnswer: api.EditAnswer,
    PlanEdit,
    StemRequest: api.StemRequest,
    StemAnswer: api.StemAnswer,
    DeleteAccountRequest: api.DeleteAccountRequest,
    DeleteAccountAnswer: api.DeleteAccountAnswer,
    ShareToken: api.ShareToken,
    SharedMashup: api.SharedMashup,
    SharedSection: api.SharedSection,
    SharedCoverPicture: z.string().meta({ contentMediaType: 'image/png' }),
    SubmittedSong: api.SubmittedSong,
    SubmittedOptions: api.SubmittedOptions,
    StemPaths: services.StemPaths,
    ErrorBody: api.ErrorBody,
  },
  error: { name: 'ErrorBody', description: 'Refused or failed' },
  security: true,
};

const { analysis, scoring, orchestrator, separation, processing } = services.SERVICE_DEFAULTS;

const SERVICES: Description = {
  title: 'Audio services of mashup-engine',
  description:
    'Five services on ports of their own. A service of another maker accepts the same requests and may ignore members that it does not know.',
  servers: services.SERVICES.map((name) => ({
    url: `http://127.0.0.1:${services.SERVICE_DEFAULTS[name].port}`,
    description: name,
  })),
  operations: [
    {
      path: analysis.path,
      summary: 'Analyses a song (analysis).',
      request: 'AnalyzeRequest',
      response: 'AnalyzeResponse',
    },
    {
      path: scoring.path,
      summary: 'Scores a pair of songs (scoring).',
      request: 'ScoringRequest',
      response: 'ScoringResponse',
    },
    {
      path: orchestrator.path,
      summary: 'Plans a mashup (orchestrator). With `Accept: text/event-stream` it streams messages before the plan.',
      request: 'PlanRequest',
      response: 'PlanResponse',
    },
    {
      path: separation.path,
      summary: 'Separates a song into four stems (separation).',
      request: 'SeparateRequest',
      response: 'SeparateResponse',
    },
    {
      path: processing.path,
      summary: 'Renders a plan (processing). The response is a stream of events.',
      request: 'RenderRequest',
      response: 'RenderEvent',
      media: 'text/event-stream',
    },
    { path: '/health', summary: 'Tells that the service is ready.', response: 'HealthResponse' },
  ],
  schemas: {
    AnalyzeRequest: services.AnalyzeRequest,
    AnalyzeResponse: services.AnalyzeResponse,
    ScoringRequest: services.ScoringRequest,
    ScoringResponse: services.ScoringResponse,
    PairScore: music.PairScore,
    PhraseMatch: music.PhraseMatch,
    PlanRequest: services.PlanRequest,
    PlanResponse: services.PlanResponse,
    Masterplan: music.Masterplan,
    PlanSection: music.PlanSection,
    PlanLayer: music.PlanLayer,
    SongAnalysis: music.SongAnalysis,
    SeparateRequest: services.SeparateRequest,
    SeparateResponse: services.SeparateResponse,
    StemPaths: services.StemPaths,
    UploadTarget: services.UploadTarget,
    RenderRequest: services.RenderRequest,
    RenderEvent: services.RenderEvent,
    RenderResult: music.RenderResult,
    QualityReport: music.QualityReport,
    HealthResponse: services.HealthResponse,
    ServiceErrorBody: services.ServiceErrorBody,
  },
  error: { name: 'ServiceErrorBody', description: 'Refused or failed' },
};

/** `docs/reference/openapi-functions.json` */
export const functionsReference = (version: string): string => openApi(FUNCTIONS, version);

/** `docs/reference/openapi-services.json` */
export const servicesReference = (version: string): string => openApi(SERVICES, version);

function openApi(description: Description, version: string): string {
  const { title, description: text, servers, operations, security } = description;
  const document = {
    openapi: '3.1.0',
    info: { title, description: `${text} Generated from schema/ by npm run docs:build.`, version },
    servers,
    ...(security ? { security: [{ session: [] }] } : {}),
    paths: Object.fromEntries(operations.map((one) => [one.path, pathItem(one, description)])),
    components: {
      schemas: schemasOf(description),
      ...(security ? { securitySchemes: { session: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } } : {}),
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function pathItem(one: Operation, { error }: Description): object {
  const { path, summary, request, response, media, ofLink } = one;
  if (ofLink !== undefined) return { get: linkOperation(one, ofLink) };
  const operation = {
    operationId: path.slice(1),
    summary,
    ...(request === undefined ? {} : { requestBody: { required: true, content: content(request) } }),
    responses: {
      200: { description: 'Done', content: content(response, media) },
      default: { description: error.description, content: content(error.name) },
    },
  };
  return { [request === undefined ? 'get' : 'post']: operation };
}

/** A GET operation of a public link. */
function linkOperation(
  { path, summary, response, media }: Operation,
  ofLink: NonNullable<Operation['ofLink']>,
): object {
  const { status, description } = ofLink;
  return {
    operationId: path.slice(1),
    summary,
    security: [],
    parameters: [{ name: 'token', in: 'query', required: true, schema: { $ref: '#/components/schemas/ShareToken' } }],
    responses: {
      [status]: { description, ...(status === 200 ? { content: content(response, media) } : {}) },
      404: {
        description:
          'share_not_found: the link is unknown, revoked or taken down, sharing is off, or the mashup has no file now',
        content: content('ErrorBody'),
      },
      429: { description: 'rate_limited: too many requests; header Retry-After', content: content('ErrorBody') },
      default: { description: 'Refused or failed', content: content('ErrorBody') },
    },
  };
}

const content = (name: string, media = 'application/json'): object => ({
  [media]: { schema: { $ref: `#/components/schemas/${name}` } },
});

/** JSON schemas by name. Requests are described as they are sent, everything else as it is returned. */
function schemasOf({ schemas }: Description): Record<string, object> {
  const registry = z.registry<{ id: string; description?: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const convert = (io: 'input' | 'output'): Record<string, object> =>
    z.toJSONSchema(registry, { io, unrepresentable: 'any', uri: (id) => `#/components/schemas/${id}` }).schemas;
  const [sent, returned] = [convert('input'), convert('output')];
  return Object.fromEntries(
    Object.keys(schemas).map((id) => {
      const {
        $schema: _,
        $id: __,
        ...schema
      } = ((id.endsWith('Request') ? sent : returned)[id] ?? {}) as Record<string, unknown>;
      return [id, schema];
    }),
  );
}
