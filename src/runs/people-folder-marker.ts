/** The file that tells what of OUT/people is cpn's. A folder with it is an output, and never looked at as an input. */
export const peopleFolderMarker = '.cpn-people.json'
