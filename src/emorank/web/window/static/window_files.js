// Files that the browser saves.

export function download(content, name) {
  const blob = content instanceof Blob ? content
    : new Blob([JSON.stringify(content, null, 1)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// "photo" of "photo.jpg"; nothing that a file system would refuse.
export const stem = (name) => name.replace(/\.[^.]*$/, "").replace(/[\\/:*?"<>|]+/g, "_") || "face";
