// Package attachment judges files that people attach to an application, and keeps them.
//
// It promises: a file is one of the listed kinds (PDF, PNG, JPEG, DOCX, XLSX, plain text), and its content, its declared media type
// and its name's ending say the same; it has at most MaxSize bytes; an archive inside is unpacked while counting, so that what it
// claims of itself does not matter; its name is one component of a path in NFC, without characters that hide or turn it; what is
// kept is sealed, and gone from the disk when it is removed.
//
// It does not promise that a file is harmless to the program that opens it: there is no search for malware, and a PDF or a picture is
// not taken apart. It is sent as a download, never shown by the service.
package attachment

// The bounds of a file.
const (
	MaxSize     = 10 << 20  // bytes of a file
	maxPixels   = 100 << 20 // of a picture, when unpacked
	maxEntries  = 2000      // files in an archive
	maxUnpacked = 100 << 20 // bytes of all of them
	maxRatio    = 200       // unpacked to packed, of one file and of all; of what is larger than ratioFrom
	ratioFrom   = 1 << 20
	maxName     = 120 // characters of a name
)

// The media types.
const (
	PDF  = "application/pdf"
	PNG  = "image/png"
	JPEG = "image/jpeg"
	DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	Text = "text/plain"
)
