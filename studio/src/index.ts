/** What an existing frontend takes over: wrap the app in `StudioProvider` with its own Supabase client. */
export { StudioProvider, useStudio } from './state/studio.tsx';
export type { StudioSong } from './state/songs.ts';
export { useAudioAnalysis } from './hooks/useAudioAnalysis.ts';
export { useLibrary } from './hooks/useLibrary.ts';
export { useMashupGenerator } from './hooks/useMashupGenerator.ts';
export type { MashupResult } from './hooks/useMashupGenerator.ts';
export { AudioAnalysisDisplay } from './components/AudioAnalysisDisplay.tsx';
export { ClaudeCollaboration } from './components/ClaudeCollaboration.tsx';
export { ClaudeMonitor } from './components/ClaudeMonitor.tsx';
export { CompatibilityScore } from './components/CompatibilityScore.tsx';
export { MashabilityDisplay } from './components/MashabilityDisplay.tsx';
export { MashupTimeline } from './components/MashupTimeline.tsx';
export { MashupView } from './components/MashupView.tsx';
export { MashupZone } from './components/MashupZone.tsx';
export { Player } from './components/Player.tsx';
export { TrackAnalysisDisplay } from './components/TrackAnalysisDisplay.tsx';
