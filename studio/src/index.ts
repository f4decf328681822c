/** Hooks and components for an existing frontend, which wraps its app in `StudioProvider` with its own Supabase client. */
export { StudioProvider, useStudio } from './state/studio.tsx';
export type { StudioSong } from './state/songs.ts';
export { useAudioAnalysis } from './hooks/useAudioAnalysis.ts';
export { useLibrary } from './hooks/useLibrary.ts';
export { useMashupGenerator } from './hooks/useMashupGenerator.ts';
export type { MashupResult } from './hooks/useMashupGenerator.ts';
export { AudioAnalysisDisplay } from './components/songs/AudioAnalysisDisplay.tsx';
export { ClaudeCollaboration } from './components/result/ClaudeCollaboration.tsx';
export { ClaudeMonitor } from './components/progress/ClaudeMonitor.tsx';
export { CompatibilityScore } from './components/songs/CompatibilityScore.tsx';
export { MashabilityDisplay } from './components/songs/MashabilityDisplay.tsx';
export { MashupTimeline } from './components/timeline/MashupTimeline.tsx';
export { MashupView } from './components/result/MashupView.tsx';
export { MashupZone } from './components/songs/MashupZone.tsx';
export { Player } from './components/result/Player.tsx';
export { TrackAnalysisDisplay } from './components/songs/TrackAnalysisDisplay.tsx';
