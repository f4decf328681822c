/** Common English words. Alone they are no name of a song, and they are no misspellings of other words. */
const WORDS = `
a able about above across act after again against age ago air all almost alone along already also always am american an and
angel another any anybody anyone anything are around art as ask at away babe baby back bad band bang bar bars base be bear beautiful
because become bed been before began begin behind being believe below best better between big bird bit bitter black blood blow blue boat bodies body
bone book born both bottom boy boys brass brave bread break breath bright bring broken brother brown build burn but buy by call came can candy
car care case cat catch cause chain chance change child children choir city clean clear close club cold color come cool could country course cover
crash crazy cream cross crowd cry cut dad dance dancing danger dark darkness day days dead deal dear death deep desire devil did die different dirty do
doctor does dog doing done door down dream dreams drama dress drink drive drop dry during dust each early earth east easy edge eight end enough even
evening ever every everybody everyone everything eye eyes face fact fade fair fall falling false family far fast father fear feel feeling feet felt few field
fight final find fine fire first five flag flash flat flight floor flow flower fly follow food fool foot for force forever forget form forward found four
free freedom fresh friend friends from front full fun future game garden gave get ghost girl girls give glass go god going gold gone good got
grand great green grey ground group grow guess gun guy had half hall hand hands happen happy hard has hate have he head hear heard heart hearts heat heaven heavy
hell hello help her here hero high higher hill him his hit hold hole home honey hope horn horns horse hot hour house how hundred hurt ice idea if in inside into is
island it jump just keep kept key kick kid kill kind king kings kiss knew know lady land large last late later laugh law lay lead learn leave left less let letter
level lie life light lights like line lion lips listen little live lives living local lonely long look lose lost lot loud love loved lover low lower luck made magic main
make man many march mark master may maybe me mean meet memory men middle midnight might mind mine minute mirror miss mix modern moment money monster month moon more morning most
mother mountain mouth move much mud music must my name near need never new news next nice night no nobody noise none north not note nothing now number ocean of off often
oh old on once one only open or orange order other our out outside over own pain paper paradise part party pass past people perfect person phone picture piece place plan play
player please pop power pressure pretty pride promise pull push put queen question quick quiet quite radio rain rainbow ran read ready real really red remember rest return rich ride
right ring rise river road rock roll rolling room rose round run running sad said same sand save saw say school sea second secret see seem seen self sell send set seven sex shade shadow
shake shape she ship shoe short should show side sign silence silver simple since sing single sister sit six skin sky sleep slow small smile smoke snow so soft soldier some somebody
someone something sometimes son song soon soul sound south space speak special spirit spring stand star stars start state stay step still stone stop storm story strange street strong such
sugar summer sun sunday sunset super sure surface sweet take talk taste teach tear tears tell ten thank that the their them then there these they thing think third this those though
thought thousand three through thunder time times tiny to today together tomorrow tonight too took top touch toward town track train trees tree trip trouble truck true trust truth try
tune turn twenty two under until up upon us use very video view violin voice wait wake walk wall want war warm was waste watch water wave way we weak wear week well went were west what wheel
when where which while whisper white who whole why wide wild will win wind window wine wing winner winter wish with within without woman women wonder word words work world worse would write
wrong year yellow yes yesterday yet you young your yourself zero flute trumpet sax solo groove snare hats hat cymbal kicks brasses dreamy lyrics bells plays base basement longing fasting fader temple
lounge louder lender sender shutter shorts shower slower lover cover mover bigger digger harden garden
chorus choruses verse verses bridge hook refrain breakdown section shooter sinner dancer reserve swing bunch niche drunk basic basics
slowed guide melodic harmonic ripping singling bounce choppy tempting enemy synergy
`;

const COMMON = new Set(WORDS.split(/\s+/));

/** Returns whether a word is a common English word. */
export const isCommonWord = (word: string): boolean => COMMON.has(word);
