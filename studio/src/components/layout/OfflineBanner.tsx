/** Covers the foot of the window, so that nothing moves. The page leaves room for it at its end. */
export function OfflineBanner({ isOnline }: { isOnline: boolean }) {
  return (
    <div role="status" className="fixed inset-x-0 bottom-0 z-20">
      {!isOnline && (
        <p className="border-t border-warn/40 bg-panel px-4 py-2.5 text-center text-sm">
          You are offline. Mashups continue on the server. This page updates when the connection is back.
        </p>
      )}
    </div>
  );
}
