/** Client library of the mashup engine: follow a job live, upload songs, submit and manage mashups. */
export { deleteAccount, exportAccount } from './account.ts';
export type { AccountExport } from './account.ts';
export { fromDatabaseError, MashupClientError } from './errors.ts';
export { followJob } from './follow-job.ts';
export type { FollowOptions, JobFollower } from './follow-job.ts';
export {
  cancelMashup,
  deleteMashup,
  editMashup,
  iterateMashup,
  replayMashup,
  retryMashup,
  signResultUrl,
  startMashup,
  submitMashup,
} from './mashups.ts';
export type { CallOptions } from './calls.ts';
export type { SubmitOptions } from './mashups.ts';
export { fileNameOf } from './file-name.ts';
export { downloadPart } from './playable.ts';
export { uploadSong, uploadStem } from './upload.ts';
export type { SongFile, StemFile } from './upload.ts';
export { readDraft } from './draft-result.ts';
export type { DraftResult } from './draft-result.ts';
export { readSeparators } from './separators.ts';
export type { Separators } from './separators.ts';
export { readShare, shareLinks, shareMashup, unshareMashup } from './share.ts';
export type { MashupShare, ShareLinks, ShareState } from './share.ts';
export { listMashups } from './library.ts';
export type { MashupGroup, MashupList, MashupListOptions } from './library.ts';
export { playableStem, readStems, requestStems, stemFileName, stemUrls } from './stems.ts';
export type { ReadyStems, StemUrls } from './stems.ts';
export { onPageResume } from './page-resume.ts';
export type { PlanEdit } from './plan-edit.ts';
export { toMashupJob } from './wire.ts';
export type {
  Iteration,
  JobResult,
  JobSong,
  JobStatus,
  JobWarning,
  MashupJob,
  MashupOptions,
  MashupStemFile,
  MashupStems,
  MashupStemsSummary,
  OutputFormat,
  OwnStem,
  OwnStems,
  PlayableAudio,
  ReplayStage,
  Stage,
  StudioVersion,
  Submission,
  SubmittedSong,
} from './types.ts';
