/**
 * React hooks and components of the mashup engine. Wrap the app in `StudioProvider` with its own Supabase client, and import
 * `@mashup-engine/react/styles.css` once.
 */
export { StudioProvider, useStudio } from './state/studio.tsx';
export type { Studio } from './state/studio.tsx';
export { useStore } from './state/store.ts';
export type { Store } from './state/store.ts';
export { toProblem } from './state/problem.ts';
export type { Problem } from './state/problem.ts';
export type { StudioSong } from './state/songs.ts';
export { fetchWithUploadProgress } from './upload-progress.ts';
export { useAudioAnalysis } from './hooks/useAudioAnalysis.ts';
export type { AudioAnalysis, Compatibility } from './hooks/useAudioAnalysis.ts';
export type { JobDocument } from './hooks/useJobDocument.ts';
export { useMashupList } from './hooks/useMashupList.ts';
export type { MashupListQuery, MashupListState } from './hooks/useMashupList.ts';
export { useMashupGenerator } from './hooks/useMashupGenerator.ts';
export type { MashupGenerator, MashupResult } from './hooks/useMashupGenerator.ts';
export type { LiveAudio, PlayerStems } from './hooks/usePlayback.ts';
export type { LoadPart } from './audio/playback/parts.ts';
export { useMashupStems } from './hooks/useMashupStems.ts';
export type { MashupStemsState } from './hooks/useMashupStems.ts';
export { useOnline } from './hooks/useOnline.ts';
export { AudioAnalysisDisplay } from './components/songs/AudioAnalysisDisplay.tsx';
export { ClaudeCollaboration } from './components/result/ClaudeCollaboration.tsx';
export { ClaudeMonitor } from './components/progress/ClaudeMonitor.tsx';
export { CompatibilityScore } from './components/songs/CompatibilityScore.tsx';
export { MashabilityDisplay } from './components/songs/MashabilityDisplay.tsx';
export { MashupTimeline } from './components/timeline/MashupTimeline.tsx';
export { MashupView } from './components/result/MashupView.tsx';
export { MashupZone } from './components/songs/MashupZone.tsx';
export type { MashupZoneProps } from './components/songs/MashupZone.tsx';
export { Notice } from './components/common/Notice.tsx';
export { Player } from './components/result/Player.tsx';
export type { PlayerHandle, PlayerProps } from './components/result/Player.tsx';
export { StageTrack } from './components/progress/StageTrack.tsx';
export { TrackAnalysisDisplay } from './components/songs/TrackAnalysisDisplay.tsx';
